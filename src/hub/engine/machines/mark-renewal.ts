import type { Clock } from '../../ports/clock.ts';

/** Of two hubs that began in the same moment, one finds the other's mark in the place of its own this soon. */
const FIRST_MS = 2_000;
const EVERY_MS = 60_000;

/** Keeps the mark in a machine's folder that says that this hub lives (`Replica.renewHubMark`). */
export class MarkRenewal {
  readonly #clock: Clock;
  readonly #renew: () => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  #cancel: (() => void) | null = null;
  /** Counts starts and stops: a renewal that ends after a stop begins no other one. */
  #turn = 0;

  constructor(clock: Clock, renew: () => Promise<void>, onFailure: (error: unknown) => void) {
    this.#clock = clock;
    this.#renew = renew;
    this.#onFailure = onFailure;
  }

  start(): void {
    this.stop();
    this.#schedule(FIRST_MS, this.#turn);
  }

  stop(): void {
    this.#turn += 1;
    this.#cancel?.();
    this.#cancel = null;
  }

  #schedule(ms: number, turn: number): void {
    if (turn !== this.#turn) return;
    this.#cancel = this.#clock.after(ms, () => {
      this.#renew()
        .catch((error: unknown) => {
          if (turn === this.#turn) this.#onFailure(error);
        })
        .finally(() => this.#schedule(EVERY_MS, turn))
        .catch(() => undefined);
    });
  }
}
