import type { UnixMs } from '../../../src/core/domain.ts';
import type { Clock } from '../../../src/hub/ports/clock.ts';

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A full hour. */
export const START = 1_699_999_200_000;

/** A clock that stands still until told to go on, and whose time of day somebody may set; timers do not care about that. */
export class WallClock implements Clock {
  #ranMs = 0;
  #offset: number;
  #timers: Timer[] = [];

  constructor(start: UnixMs = START) {
    this.#offset = start;
  }

  now(): UnixMs {
    return this.#offset + this.#ranMs;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#ranMs + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Goes on by `ms`, running what is due in order. */
  advance(ms: number): void {
    const end = this.#ranMs + ms;
    for (;;) {
      const next = this.#timers.reduce<Timer | null>(
        (first, timer) => (first === null || timer.at < first.at ? timer : first),
        null,
      );
      if (next === null || next.at > end) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#ranMs = next.at;
      next.task();
    }
    this.#ranMs = end;
  }

  /** Goes on to this time. */
  advanceTo(at: UnixMs): void {
    this.advance(at - this.now());
  }

  /** Somebody set the clock, or the computer slept: no timer is due for it. */
  jump(ms: number): void {
    this.#offset += ms;
  }
}
