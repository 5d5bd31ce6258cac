import type { UnixMs } from '../domain.ts';

/**
 * Names that were noted within the last `spanMs`, each once, at its latest time. Times may come out of order; a time
 * in the future (the clock was set back) counts until the window has passed over it.
 */
export class SlidingWindow {
  readonly #spanMs: number;
  readonly #latest = new Map<string, UnixMs>();

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** Notes `name` at `at`. */
  note(name: string, at: UnixMs): void {
    this.#latest.set(name, Math.max(at, this.#latest.get(name) ?? at));
  }

  /** How many different names were noted within the window that ends at `now`. Older ones are forgotten. */
  count(now: UnixMs): number {
    for (const [name, at] of this.#latest) if (at <= now - this.#spanMs) this.#latest.delete(name);
    return this.#latest.size;
  }

  /** Forgets everything. */
  clear(): void {
    this.#latest.clear();
  }
}
