import { delay, type Clock } from '../../ports/clock.ts';
import type { Turn } from './recurring.ts';

/** While there is work, it is asked again this often whether it is over. */
const BUSY_LOOK_MS = 250;
/** A wait that is shorter than this is saved up. */
const SHORTEST_WAIT_MS = 20;
/** Reading many small files costs more than their bytes. */
const LEAST_BYTES = 16_384;

/** What paces work that nobody waits for. */
export interface PaceOptions {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly bytesPerSecond: number;
  /** Whether something is under way that somebody does wait for. */
  readonly isBusy: () => boolean;
}

/** The hub stops: what was begun is left off. Nothing is known of what was not read to its end. */
export class TurnEnded extends Error {
  constructor() {
    super('the hub stops');
    this.name = 'TurnEnded';
  }
}

/** Keeps reading in the background slow, and out of the way of everything else. */
export class Pace {
  readonly #options: PaceOptions;
  #owedMs = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Waits as long as reading `bytes` may take at this pace, and for as long as there is work; not at all once the hub stops. */
  async spend(bytes: number): Promise<void> {
    const { clock, turn, bytesPerSecond, isBusy } = this.#options;
    this.#owedMs += (Math.max(bytes, LEAST_BYTES) * 1000) / bytesPerSecond;
    if (this.#owedMs >= SHORTEST_WAIT_MS && !turn.stopped()) {
      await delay(clock, this.#owedMs);
      this.#owedMs = 0;
    }
    while (isBusy() && !turn.stopped()) await delay(clock, BUSY_LOOK_MS);
  }

  /** The bytes as they are, each piece at its time. @throws {TurnEnded} */
  async *paced(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of chunks) {
      if (this.#options.turn.stopped()) throw new TurnEnded();
      yield chunk;
      await this.spend(chunk.length);
    }
  }
}
