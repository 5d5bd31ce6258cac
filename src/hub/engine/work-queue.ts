import type { Key } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';

/** What is known about why a key has to be reconciled. */
export interface Mark {
  /** The copy may have changed: look at it. Without it the last verified base is taken to be still there (every write checks that). */
  readonly look?: boolean;
  /** Goes before what is queued in bulk: something that happened just now. */
  readonly urgent?: boolean;
  /** The last bytes before the base are compared at length (scan, new inode). */
  readonly deep?: boolean;
}

/** Why a key waits for a later look. `settling` keeps `wait` waiting, `idle` does not. */
export type DelayKind = 'settling' | 'idle';

/** The machine went away in the middle: the key stays queued, the queue stops until `start`. */
export const INTERRUPTED = Symbol('interrupted');

/** Keys that may go together, see `Together`. */
export interface TakesTogether {
  /** Whether this key may; asked once for each mark that queues it. */
  canTake(key: Key): boolean;
  /** Most keys of one run: more at a time would make what comes behind them wait for longer. */
  readonly most: number;
  /** @param waiting how many more there are. @returns the keys that are left to be run alone. Must not reject. */
  run(keys: readonly Key[], waiting: number): Promise<readonly Key[] | typeof INTERRUPTED>;
}

/** Fewer keys are run alone. */
const FEWEST_TOGETHER = 4;
/** One lot is on its way while another is planned or committed. */
const LOTS_AT_ONCE = 3;

interface Job {
  look: boolean;
  deep: boolean;
}

interface Delayed {
  readonly kind: DelayKind;
  readonly cancel: () => void;
}

/**
 * The keys of one machine that have to be reconciled: each at most once in the queue and never twice at a time,
 * marks that arrive meanwhile lead to one more run. One queue per machine, so that a slow machine delays nobody else.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #concurrency: number;
  readonly #run: (key: Key, mark: Required<Mark>) => Promise<void | typeof INTERRUPTED>;
  readonly #onIdle: () => void;
  readonly #onTrouble: (error: Error) => void;
  readonly #jobs = new Map<Key, Job>();
  /** Urgent keys are taken from here first; both hold each key of `#jobs` at most once, in order of arrival. */
  readonly #urgent = new Set<Key>();
  readonly #bulk = new Set<Key>();
  /** Keys that may go together; each is in one of the three. None of them is being worked on. */
  readonly #companions = new Set<Key>();
  /** Keys that were marked while they were worked on, and become companions when that has ended. */
  readonly #companionsLater = new Set<Key>();
  readonly #together: TakesTogether | null;
  #lots = 0;
  #alone = 0;
  readonly #running = new Set<Key>();
  readonly #delayed = new Map<Key, Delayed>();
  readonly #drained: (() => void)[] = [];
  #started = false;

  constructor(options: {
    readonly clock: Clock;
    readonly concurrency: number;
    readonly run: (key: Key, mark: Required<Mark>) => Promise<void | typeof INTERRUPTED>;
    readonly together?: TakesTogether;
    readonly onIdle: () => void;
    /** `run` failed although it never should: the queue stops as if the machine had gone. */
    readonly onTrouble: (error: Error) => void;
  }) {
    this.#clock = options.clock;
    this.#concurrency = options.concurrency;
    this.#run = options.run;
    this.#together = options.together ?? null;
    this.#onIdle = options.onIdle;
    this.#onTrouble = options.onTrouble;
  }

  /** Keys queued or being worked on. */
  get busy(): number {
    return this.#jobs.size + this.#running.size;
  }

  /** Keys that wait for a later look which decides something (a delete to confirm, a file still being written). */
  get settling(): number {
    let count = 0;
    for (const delayed of this.#delayed.values()) if (delayed.kind === 'settling') count += 1;
    return count;
  }

  /** Whether `key` is queued, running or waiting to settle. */
  has(key: Key): boolean {
    return this.isUnderWay(key) || this.#delayed.get(key)?.kind === 'settling';
  }

  /** Whether `key` is queued or being worked on. */
  isUnderWay(key: Key): boolean {
    return this.#jobs.has(key) || this.#running.has(key);
  }

  /** Queues `key`, or adds to what is known about it when it is queued already. */
  mark(key: Key, mark: Mark = {}): void {
    this.#add(key, mark, this.#together?.canTake(key) ?? false);
    this.#next();
  }

  /** Queues many keys before any of them is run, so that they can go together. */
  markAll(keys: Iterable<Key>, mark: Mark = {}): void {
    for (const key of keys) this.#add(key, mark, this.#together?.canTake(key) ?? false);
    this.#next();
  }

  #add(key: Key, mark: Mark, isCompanion: boolean): void {
    const job = this.#jobs.get(key);
    if (job) {
      job.look ||= mark.look ?? false;
      job.deep ||= mark.deep ?? false;
    } else {
      this.#jobs.set(key, { look: mark.look ?? false, deep: mark.deep ?? false });
    }
    if (isCompanion && !this.#urgent.has(key) && !this.#bulk.has(key)) {
      (this.#running.has(key) ? this.#companionsLater : this.#companions).add(key);
      return;
    }
    this.#companions.delete(key);
    this.#companionsLater.delete(key);
    if (mark.urgent) {
      this.#bulk.delete(key);
      this.#urgent.add(key);
    } else if (!this.#urgent.has(key)) {
      this.#bulk.add(key);
    }
  }

  /** Marks `key` again after `ms`; a mark before that does not cancel it, a later `again` replaces it. */
  again(key: Key, ms: number, kind: DelayKind, mark: Mark = { look: true }): void {
    this.#delayed.get(key)?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#delayed.delete(key);
      this.mark(key, mark);
    });
    this.#delayed.set(key, { kind, cancel });
  }

  /** Takes back a planned later look. */
  cancelAgain(key: Key): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }

  start(): void {
    this.#started = true;
    this.#next();
  }

  /** What runs ends, nothing new begins. */
  stop(): void {
    this.#started = false;
  }

  /** Resolves when nothing runs. */
  drained(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Forgets everything that is queued or planned. */
  clear(): void {
    this.#jobs.clear();
    this.#urgent.clear();
    this.#bulk.clear();
    this.#companions.clear();
    this.#companionsLater.clear();
    for (const delayed of this.#delayed.values()) delayed.cancel();
    this.#delayed.clear();
  }

  #take(): Key | undefined {
    const isFew = this.#lots === 0 && this.#companions.size < FEWEST_TOGETHER;
    for (const lane of isFew ? [this.#urgent, this.#companions, this.#bulk] : [this.#urgent, this.#bulk]) {
      for (const key of lane) {
        if (this.#running.has(key)) continue;
        lane.delete(key);
        return key;
      }
    }
    return undefined;
  }

  /** The next keys that go together; none while there are too few, or enough on their way. */
  #takeLot(): Key[] {
    if (this.#lots >= LOTS_AT_ONCE || (this.#lots === 0 && this.#companions.size < FEWEST_TOGETHER)) return [];
    const lot: Key[] = [];
    for (const key of this.#companions) {
      lot.push(key);
      if (lot.length === this.#together?.most) break;
    }
    for (const key of lot) {
      this.#companions.delete(key);
      this.#jobs.delete(key);
      this.#running.add(key);
    }
    return lot;
  }

  #next(): void {
    while (this.#started) {
      const lot = this.#takeLot();
      if (lot.length === 0) break;
      void this.#workTogether(lot);
    }
    while (this.#started && this.#alone < this.#concurrency) {
      const key = this.#take();
      if (key === undefined) return;
      const job = this.#jobs.get(key);
      this.#jobs.delete(key);
      this.#running.add(key);
      void this.#work(key, job ?? { look: true, deep: false });
    }
  }

  async #work(key: Key, job: Job): Promise<void> {
    let result: void | typeof INTERRUPTED = INTERRUPTED;
    this.#alone += 1;
    try {
      result = await this.#run(key, { look: job.look, deep: job.deep, urgent: true });
    } catch (error) {
      this.#onTrouble(error instanceof Error ? error : new Error(String(error)));
    }
    this.#alone -= 1;
    this.#ranToEnd(key);
    this.#ended(result === INTERRUPTED, [key]);
  }

  async #workTogether(lot: readonly Key[]): Promise<void> {
    let left: readonly Key[] | typeof INTERRUPTED = INTERRUPTED;
    this.#lots += 1;
    try {
      left = (await this.#together?.run(lot, this.#companions.size)) ?? lot;
    } catch (error) {
      this.#onTrouble(error instanceof Error ? error : new Error(String(error)));
    }
    this.#lots -= 1;
    for (const key of lot) this.#ranToEnd(key);
    // Left for a reason: alone, whatever they look like.
    if (left !== INTERRUPTED && this.#started) for (const key of left) this.#add(key, { look: true }, false);
    this.#ended(left === INTERRUPTED, lot);
  }

  #ranToEnd(key: Key): void {
    this.#running.delete(key);
    if (this.#companionsLater.delete(key)) this.#companions.add(key);
  }

  #ended(isInterrupted: boolean, keys: readonly Key[]): void {
    if (this.#running.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
    if (isInterrupted) {
      this.#started = false;
      for (const key of keys) this.#add(key, { look: true, deep: true }, false);
    }
    this.#next();
    if (this.busy === 0) this.#onIdle();
  }
}
