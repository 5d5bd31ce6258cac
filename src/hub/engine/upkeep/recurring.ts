import type { Clock } from '../../ports/clock.ts';

/** What a recurring task is told while it runs. */
export interface Turn {
  /** The hub is stopping: end at the next point where nothing is half-done. */
  readonly stopped: () => boolean;
}

/** What is done from time to time for as long as the hub runs, and with whom its failures end. */
export interface RecurringOptions {
  readonly clock: Clock;
  /** Time from the start to the first turn, ms. */
  readonly firstMs: () => number;
  /** Time from the end of one turn to the beginning of the next, ms. */
  readonly everyMs: number;
  /** The same after a turn that failed, ms. */
  readonly againMs: number;
  readonly task: (turn: Turn) => Promise<void>;
  readonly onTrouble: (error: Error) => void;
}

/** A task that is done again and again, never twice at a time. Its failure ends nothing but the turn. */
export class Recurring {
  readonly #options: RecurringOptions;
  #cancel: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(options: RecurringOptions) {
    this.#options = options;
  }

  start(): void {
    this.#plan(this.#options.firstMs());
  }

  /** Resolves when a turn that was under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }

  #plan(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#cancel = null;
      this.#running = this.#turn().finally(() => (this.#running = null));
    });
  }

  async #turn(): Promise<void> {
    const { task, onTrouble, everyMs, againMs } = this.#options;
    try {
      await task({ stopped: () => this.#stopped });
      this.#plan(everyMs);
    } catch (error) {
      onTrouble(error instanceof Error ? error : new Error(String(error)));
      this.#plan(againMs);
    }
  }
}
