import type { UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';

/** Transfers up to this size go before longer ones: a line must not wait behind a gigabyte. */
const SMALL_BYTES = 16 * 1024;

/**
 * Shares a limit on bytes per second among the transfers of one machine. Each takes its bytes before it moves them; those it has no room
 * for now wait, small ones first.
 */
export class Bandwidth {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  readonly #small: Waiting[] = [];
  readonly #large: Waiting[] = [];
  /** Everything that was taken is moved by then. */
  #busyUntil: UnixMs = 0;
  #isServing = false;

  /** @param bytesPerSecond above 0. */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Resolves when `bytes` may be moved; `null` when that is now. */
  take(bytes: number): Promise<void> | null {
    const now = this.#clock.now();
    if (!this.#isServing && this.#busyUntil <= now) {
      this.#busyUntil = now + bytes / this.#bytesPerMs;
      return null;
    }
    return new Promise((resolve) => {
      (bytes <= SMALL_BYTES ? this.#small : this.#large).push({ bytes, begin: resolve });
      this.#serve();
    });
  }

  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    this.#clock.after(Math.max(0, this.#busyUntil - this.#clock.now()), () => {
      this.#isServing = false;
      const next = this.#small.shift() ?? this.#large.shift();
      if (next === undefined) return;
      this.#busyUntil = Math.max(this.#busyUntil, this.#clock.now()) + next.bytes / this.#bytesPerMs;
      next.begin();
      if (this.#small.length + this.#large.length > 0) this.#serve();
    });
  }
}

interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}
