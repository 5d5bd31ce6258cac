import type { UnixMs } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';

/** What the loop needs from its machine. */
export interface ScanLoopOptions {
  readonly clock: Clock;
  /** Time between the end of a scan and the next one, ms. */
  readonly everyMs: () => number;
  /** Whether the machine can be listed now. */
  readonly canScan: () => boolean;
  /** One whole scan. @returns whether the machine may be scanned again; it has been stopped or lost otherwise. Must not reject. */
  readonly scan: () => Promise<boolean>;
  /** No scan is under way any more. */
  readonly onEnd: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** The scans of one machine: one at a time, one more when somebody asks meanwhile, and one from time to time. */
export class ScanLoop {
  readonly #options: ScanLoopOptions;
  #running: Promise<void> | null = null;
  #isWantedAgain = false;
  #cancelNext: (() => void) | null = null;
  #lastAt: UnixMs | null = null;

  constructor(options: ScanLoopOptions) {
    this.#options = options;
  }

  /** The scan under way, `null` when there is none. */
  get running(): Promise<void> | null {
    return this.#running;
  }

  /** End of the last whole scan, `null` before the first. */
  get lastAt(): UnixMs | null {
    return this.#lastAt;
  }

  /** Scans now; a scan that is under way is followed by another one. Resolves when both have ended. */
  now(): Promise<void> {
    if (!this.#options.canScan()) return Promise.resolve();
    if (this.#running) {
      this.#isWantedAgain = true;
      return this.#running;
    }
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#options.onEnd();
    });
    return this.#running;
  }

  /** As `now`, for callers that do not wait. */
  soon(): void {
    this.now().catch(this.#options.onTrouble);
  }

  /** No further scan begins by itself. */
  stop(): void {
    this.#cancelNext?.();
  }

  async #run(): Promise<void> {
    const { clock, everyMs, scan, canScan } = this.#options;
    this.#cancelNext?.();
    do {
      this.#isWantedAgain = false;
      if (!(await scan())) return;
      this.#lastAt = clock.now();
    } while (this.#isWantedAgain && canScan());
    this.#cancelNext = clock.after(everyMs(), () => this.soon());
  }
}
