import type { UnixMs } from '../domain.ts';

/** What happened longer ago than this says nothing of now. */
const STALE_MS = 600_000;

/** Tries on one machine that failed one after the other. */
export class FailureStreak {
  #count = 0;
  #reason: string | null = null;
  #lastAt: UnixMs = 0;

  failed(reason: string, at: UnixMs): void {
    if (Math.abs(at - this.#lastAt) > STALE_MS) this.#count = 0;
    this.#count += 1;
    this.#reason = reason;
    this.#lastAt = at;
  }

  succeeded(): void {
    this.#count = 0;
    this.#reason = null;
  }

  /** How many there are at `now`, and why the last one failed. */
  at(now: UnixMs): { readonly inARow: number; readonly lastReason: string | null } {
    if (Math.abs(now - this.#lastAt) > STALE_MS) return { inARow: 0, lastReason: null };
    return { inARow: this.#count, lastReason: this.#reason };
  }
}
