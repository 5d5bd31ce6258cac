import type { Key, UnixMs } from '../domain.ts';
import type { Plan } from '../plan/plan.ts';
import { SlidingWindow } from './sliding-window.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** Span of the window. */
export const DELETE_WINDOW_MS = 60_000;
/** This many deletes are always let through. */
export const DELETES_ALLOWED = 20;
/** So is this share of the machine's files. */
export const DELETE_SHARE_ALLOWED = 0.1;

/**
 * Too many deletes that would reach the other machines: a folder lost, a wrong `rm`, a script gone wild. One per machine.
 *
 * Only plans that make a tombstone count. Claude's own clean-up takes away a third of a tree in seconds, but its paths
 * are evicted, which harms no other machine, so it never trips this.
 */
export class DeleteWindow {
  readonly #window = new SlidingWindow(DELETE_WINDOW_MS);

  /** Notes what was planned for `key` at `at`, before it is carried out. Plans that are no propagating delete are ignored. */
  note(key: Key, plan: Plan, at: UnixMs): void {
    if (plan.do === 'commit-tombstone') this.#window.note(key, at);
  }

  /**
   * Says whether too many files were deleted in the window that ends at `now`.
   * @param files how many files the machine was known to hold before the deletes
   */
  verdict(now: UnixMs, files: number): Verdict {
    const deletes = this.#window.count(now);
    const allowed = Math.max(DELETES_ALLOWED, Math.floor(files * DELETE_SHARE_ALLOWED));
    if (deletes <= allowed) return null;
    return {
      code: 'many-deletes',
      reason: `${deletes} of ${files} files were deleted within a minute (${allowed} are let through); the rest was not passed on. ${RESUME_HINT}`,
    };
  }

  /** Forgets what was noted: the user looked at it and let the machine go on. */
  clear(): void {
    this.#window.clear();
  }
}
