/**
 * The guards: each closes one concrete way to lose, double or leak something. They are all on, always; they have names so that
 * the simulation can take one away and show that it is needed (test/simulation/guards).
 */
export const GUARD_NAMES = [
  /** sync.md 3.1: what could not be listed or read is unknown, not absent. */
  'unknown-is-not-absent',
  /** 3.7: a delete counts only after a second look with the parent folder listed. */
  'confirm-delete',
  /** 3.8: without a base, union; never a delete. */
  'union-without-base',
  /** 3.6: a change wins over a delete. */
  'change-beats-delete',
  /** 3.7: what Claude's clean-up touches is evicted, not deleted. */
  'evict-not-delete',
  /** 3.9: the head keeps every line of a log that was cut. */
  'cut-keeps-head',
  /** 4: only whole lines are shipped. */
  'whole-lines',
  /** 4: the divergence point is verified, not assumed from sizes. */
  'verify-prefix',
  /** 4: lines of both sides are merged, none dropped. */
  'merge-divergence',
  /** 4: what `merged` says is in the head is not appended again. */
  'merge-cursor',
  /** 5: one copy per machine. */
  'one-copy',
  /** 6.1: append only to the file as last verified. */
  'append-precondition',
  /** 6.4: what was written is read back and compared. */
  'read-back',
  /** 6: never append again after an unknown outcome without looking. */
  'unknown-outcome',
  /** 6: a torn tail on the target is completed or closed with a newline before anything is added. */
  'torn-target',
  /** 6: a piece of a line that the hub itself left behind does not become a line of its own. */
  'own-pieces',
  /** 6: a line that the hub wrote behind somebody else's is not that machine's own. */
  'sent-lines',
  /** 6: while a session is live its file is only appended to. */
  'live-append-only',
  /** 6: temps of older connections are removed before anything else. */
  'epoch-temps',
  /** 7: what is replaced goes to undo first. */
  'undo-before-replace',
  /** 7: bytes that a late writer puts into undo come back. */
  'late-writes',
  /** 7: creating never overwrites. */
  'create-exclusive',
  /** 2: archive and database are durable before anything destructive. */
  'durable-before-destructive',
  /** 2: archive bytes beyond what the database knows are kept and cut at start. */
  'archive-tail',
  /** 3.4 and 4: the loser of a conflict is kept as a version. */
  'keep-loser',
  /** 7: deny rules, checked on the way in and on the way out. */
  'deny-rules',
  /** 8: a tree that was emptied or replaced stops that machine. */
  'quarantine-emptied',
  /** 8: too many deletes stop that machine. */
  'quarantine-deletes',
  /** 8: a tree that went back in time stops that machine. */
  'quarantine-back-in-time',
  /** 9: forgotten sessions stay forgotten. */
  'forgotten-stays',
] as const;

/** Name of a guard. */
export type Guard = (typeof GUARD_NAMES)[number];

/** The guards that are on. */
export class Guards {
  readonly #off: ReadonlySet<Guard>;

  constructor(off: Iterable<Guard> = []) {
    this.#off = new Set(off);
  }

  /** Whether `guard` is on. */
  on(guard: Guard): boolean {
    return !this.#off.has(guard);
  }
}

/** Every guard on: what the product runs with. */
export const ALL_GUARDS = new Guards();
