import type { UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';

/** What takes its time is asked this often. */
export const ASK_EVERY_MS = 300_000;
/** An answer that takes longer is none. */
export const ANSWER_WITHIN_MS = 20_000;

/** How questions are asked. */
export interface SlowAnswersOptions<T> {
  readonly clock: Clock;
  /** How long an answer is good for, ms. Default: `ASK_EVERY_MS`. */
  readonly goodFor?: (answer: T) => number;
  /** There is an answer that was not there before. */
  readonly onAnswer: () => void;
  /** A question failed, in another way than the last time. */
  readonly onTrouble: (error: Error) => void;
}

interface Entry<T> {
  /** Who was asked last: somebody else under the same name is asked at once. */
  subject: object;
  value: T | null;
  askedAt: UnixMs | null;
  isAsking: boolean;
  trouble: string | null;
}

/**
 * Answers of machines that may take long or never come. Nobody waits for one: whoever wants it gets the last one, and the next question is
 * asked behind his back. Where one hangs, no second is asked: on a dead network drive each would hold a thread of the hub for good.
 */
export class SlowAnswers<T> {
  readonly #options: SlowAnswersOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: SlowAnswersOptions<T>) {
    this.#options = options;
  }

  /**
   * The last answer under `name`, `null` while there is none. Asks when that is due.
   * @param ask `null`: it cannot be asked now. @param subject who is asked.
   */
  of(name: string, subject: object, ask: (() => Promise<T>) | null): T | null {
    let entry = this.#entries.get(name);
    if (entry === undefined || entry.subject !== subject) {
      entry = { subject, value: entry?.value ?? null, askedAt: null, isAsking: false, trouble: null };
      this.#entries.set(name, entry);
    }
    if (ask !== null && this.#isDue(entry)) this.#ask(entry, ask);
    return entry.value;
  }

  /** Forgets what is not among `names`. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.#entries.keys()) if (!names.has(name)) this.#entries.delete(name);
  }

  /** A clock that was put back must not keep anybody from asking. */
  #isDue({ value, askedAt, isAsking }: Entry<T>): boolean {
    const { clock, goodFor } = this.#options;
    const everyMs = value === null ? ASK_EVERY_MS : (goodFor?.(value) ?? ASK_EVERY_MS);
    return !isAsking && (askedAt === null || Math.abs(clock.now() - askedAt) >= everyMs);
  }

  #ask(entry: Entry<T>, ask: () => Promise<T>): void {
    const { clock, onAnswer } = this.#options;
    entry.askedAt = clock.now();
    entry.isAsking = true;
    let isLate = false;
    const cancel = clock.after(ANSWER_WITHIN_MS, () => {
      isLate = true;
      this.#failed(entry, new Error(`nothing came within ${ANSWER_WITHIN_MS / 1_000} s`));
    });
    ask()
      .then(
        (value) => {
          if (isLate) return;
          entry.value = value;
          entry.trouble = null;
          onAnswer();
        },
        (error: unknown) => {
          if (!isLate) this.#failed(entry, error instanceof Error ? error : new Error(String(error)));
        },
      )
      .finally(() => {
        cancel();
        entry.isAsking = false;
      })
      .catch((error: unknown) => this.#options.onTrouble(error instanceof Error ? error : new Error(String(error))));
  }

  #failed(entry: Entry<T>, error: Error): void {
    if (entry.trouble === error.message) return;
    entry.trouble = error.message;
    this.#options.onTrouble(error);
  }
}
