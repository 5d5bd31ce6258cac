import type { Key, UnixMs } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';

/** Undo entries are looked at this long after a replace: a writer that still held the file open has written by then, or later. */
const UNDO_CHECKS_MS = [500, 5_000] as const;
/** For this long, growth of a file that was swapped waits for a look at what went into the old one. */
const SWAP_REMEMBERED_MS = 60_000;

/** The files of one machine that the hub swapped out a moment ago: a late writer may still put something into the old ones. */
export class Swaps {
  readonly #clock: Clock;
  readonly #lookLater: () => void;
  readonly #known = new Map<Key, { readonly at: UnixMs; readonly forkKey: Key | null }>();

  /** @param lookLater looks for what late writers did. */
  constructor(clock: Clock, lookLater: () => void) {
    this.#clock = clock;
    this.#lookLater = lookLater;
  }

  /** @param forkKey the fork that the swapped-out file belonged to. */
  note(key: Key, forkKey: Key | null): void {
    this.#known.set(key, { at: this.#clock.now(), forkKey });
    for (const ms of UNDO_CHECKS_MS) this.#clock.after(ms, this.#lookLater);
  }

  forkOf(key: Key): Key | null {
    return this.#known.get(key)?.forkKey ?? null;
  }

  /** Runs `look` first when the file of `key` was swapped out a moment ago. */
  async lookFirst(key: Key, look: () => Promise<void>): Promise<void> {
    const swap = this.#known.get(key);
    if (swap === undefined) return;
    await look();
    if (this.#clock.now() - swap.at > SWAP_REMEMBERED_MS) this.#known.delete(key);
  }
}
