/** How many of the newest samples count. */
const WINDOW = 512;

/** Time from a change being seen to its being verified on this machine: the newest samples, in ms. */
export class LatencyWindow {
  readonly #samples: number[] = [];
  #next = 0;

  note(ms: number): void {
    if (this.#samples.length < WINDOW) this.#samples.push(ms);
    else this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % WINDOW;
  }

  /** Percentiles in ms; zeros while nothing was measured. */
  percentiles(): { p50: number; p99: number } {
    const sorted = [...this.#samples].sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  }
}
