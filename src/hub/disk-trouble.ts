import type { UnixMs } from '../core/domain.ts';
import { FileSystemError } from './ports/file-system.ts';
import { StoreUnwritable } from './store/store.ts';

/** While the hub's disk is full, work is tried again every two seconds; without a failure for this long it has room again. */
const RECENT_MS = 10_000;

/**
 * Remembers that the hub's own disk refused a write. No key and no machine is at fault then, so nothing else would tell the user
 * why nothing moves.
 */
export class DiskTrouble {
  #last: { readonly at: UnixMs; readonly message: string } | null = null;

  /** Takes note of `error` when it is about the hub's disk. */
  note(error: Error, now: UnixMs): void {
    if (FileSystemError.is(error, 'no-space') || error instanceof StoreUnwritable)
      this.#last = { at: now, message: error.message };
  }

  /** What went wrong last, `null` when that is over. */
  at(now: UnixMs): string | null {
    return this.#last !== null && now - this.#last.at < RECENT_MS ? this.#last.message : null;
  }
}
