import type { Key, UnixMs } from '../domain.ts';
import type { Verdict } from './verdict.ts';

/** Span within which conflicts of one key count together. */
export const CONFLICT_LOOP_MS = 600_000;
/** With this many conflicts of one key in that span, two writers are fighting. */
export const CONFLICT_LOOP_COUNT = 5;

/**
 * Two programs on two machines that keep rewriting the same file, each undoing the other: every write a conflict, a version
 * and a notification. The key is to be left alone until the user decides. One for the whole hub.
 */
export class ConflictLoop {
  readonly #times = new Map<Key, UnixMs[]>();

  /** Notes a conflict of `key` at `at`. */
  note(key: Key, at: UnixMs): void {
    this.#times.set(key, [...this.#recent(key, at), at]);
  }

  /** Says whether `key` is being fought over at `now`. */
  verdict(key: Key, now: UnixMs): Verdict {
    const conflicts = this.#recent(key, now);
    if (conflicts.length === 0) this.#times.delete(key);
    if (conflicts.length < CONFLICT_LOOP_COUNT) return null;
    return {
      code: 'conflict-loop',
      reason: `${conflicts.length} conflicts within ten minutes: two machines keep changing this file. Choose one side with \`claude-sync conflicts resolve\`, or exclude the file.`,
    };
  }

  /** Forgets the conflicts of `key`: the user decided. */
  clear(key: Key): void {
    this.#times.delete(key);
  }

  #recent(key: Key, now: UnixMs): UnixMs[] {
    return (this.#times.get(key) ?? []).filter((at) => at > now - CONFLICT_LOOP_MS);
  }
}
