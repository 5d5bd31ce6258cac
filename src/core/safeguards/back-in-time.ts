import type { Key, UnixMs } from '../domain.ts';
import { SlidingWindow } from './sliding-window.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** Span within which old contents count together: a restored backup appears over several looks. */
export const BACK_IN_TIME_WINDOW_MS = 60_000;
/** This many keys may return to an earlier content: an undo, a checkout of a single file. */
export const BACK_IN_TIME_ALLOWED = 3;

/**
 * A tree that went back in time: several files equal heads that this machine had already passed. That is a restored backup
 * or snapshot, and taking its old contents for edits would undo everybody's newer work. One per machine.
 */
export class BackInTime {
  readonly #window = new SlidingWindow(BACK_IN_TIME_WINDOW_MS);

  /** Notes that the copy of `key`, seen at `at`, has the content of a head before the one it was last level with. */
  note(key: Key, at: UnixMs): void {
    this.#window.note(key, at);
  }

  /** Says whether too many keys went back within the window that ends at `now`. */
  verdict(now: UnixMs): Verdict {
    const keys = this.#window.count(now);
    if (keys <= BACK_IN_TIME_ALLOWED) return null;
    return {
      code: 'back-in-time',
      reason: `${keys} files went back to contents this machine had before, as after restoring a backup; nothing newer was undone elsewhere. ${RESUME_HINT}`,
    };
  }

  /** Forgets what was noted: the user looked at it and let the machine go on. */
  clear(): void {
    this.#window.clear();
  }
}
