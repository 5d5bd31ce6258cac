import type { Base, DeleteKind, Head, Sha256 } from '../domain.ts';

/**
 * What was last seen of one key on one machine, in the words of docs/sync.md section 3.
 * `unknown`: unreadable, not listed, or a filter changed. `absent`: the parent folder was listed and the name is not in it;
 * `confirmed` when a second look, `CONFIRM_DELETE_MS` later, said so again.
 */
export type Observed =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'absent'; readonly confirmed: boolean }
  | { readonly kind: 'file'; readonly hash: Sha256; readonly size: number; readonly executable: boolean };

/** How long to wait before the second look that makes a delete count: editors delete and create anew when they save. */
export const CONFIRM_DELETE_MS = 3000;

/** The guards that live in the planner (names of src/hub/engine/guards.ts). */
export type PlanGuard =
  'unknown-is-not-absent' | 'confirm-delete' | 'union-without-base' | 'change-beats-delete' | 'evict-not-delete';

/** One key on one machine, ready to be planned. */
export interface PlanInput {
  /** `undefined`: the hub has never had content for this key. */
  readonly head: Head | undefined;
  /** What was last verified on this machine; `null` when nothing ever was, or when that was forgotten. */
  readonly base: Base | null;
  readonly observed: Observed;
  /** `Pair.evictedSeq`: the head's number when the copy was found evicted. */
  readonly evictedSeq: number | null;
  /** What a delete of this path means (column `delete` of the path table). */
  readonly deleteRule: DeleteKind;
  /** False for a Windows machine: its files have no executable bit, so a missing bit there says nothing. */
  readonly executableBitCounts: boolean;
  /** Which guards are on; all of them when left out. For the simulation, which shows that each is needed. */
  readonly guards?: { on(guard: PlanGuard): boolean };
}

/** What is to be done about one key on one machine. */
export type Plan =
  /**
   * `unknown`: nothing can be said, look again when possible. `level`: the machine holds the head.
   * `evicted`: absent by clean-up, and the head is still the one of then. `acknowledged`: the machine knows the tombstone.
   */
  | { readonly do: 'nothing'; readonly why: 'unknown' | 'level' | 'evicted' | 'acknowledged' }
  /** Observed and head are the same: base := observed with the head's number, and an evicted flag is cleared. No bytes move. */
  | { readonly do: 'adopt' }
  /**
   * Bring the head to the machine: create, replace, or (head is a tombstone) remove. The write's precondition is what was
   * observed. An evicted flag is cleared.
   */
  | { readonly do: 'deliver' }
  /** What was observed becomes the head, with the executable bit of `executableOf`; the head so far is kept as a version. */
  | { readonly do: 'commit' }
  /** The delete becomes the head, the content so far is kept as a version. */
  | { readonly do: 'commit-tombstone' }
  /** `evictedSeq` := the head's number. Head and other machines stay as they are. */
  | { readonly do: 'evict' }
  /** Absent, but seen only once: look again after `CONFIRM_DELETE_MS`. */
  | { readonly do: 'confirm-delete' }
  /**
   * Machine and head both moved away from the base: by class, three-way where possible, else last-write-wins or manual.
   * With a base of kind `absent` there is no common text: both created the file. The result gets the bit of
   * `executableOf`; whatever does not become the head is kept as a version.
   */
  | { readonly do: 'merge' }
  /**
   * Machine and head differ and nothing tells which came first: a conflict for the user, nobody is overwritten. What was
   * observed is kept as a version at once: the user may edit it again before resolving, and it has been seen.
   */
  | { readonly do: 'first-conflict' };

/**
 * The planner for everything but logs: a pure function of head, base and observation (docs/sync.md section 3).
 * It never sees content, only hashes; who calls it stores observations and plans again after a crash.
 *
 * Contents are compared by hash and, where it counts, the executable bit, never by sequence number: a head that returned
 * to what a machine holds is level with it.
 */
export function plan(given: PlanInput): Plan {
  const input = withoutGuardsThatAreOff(given);
  const { head, observed } = input;
  if (observed.kind === 'unknown') return { do: 'nothing', why: 'unknown' };
  if (!head) return observed.kind === 'file' ? { do: 'commit' } : { do: 'nothing', why: 'level' };
  if (observed.kind === 'absent') {
    return head.kind === 'tombstone'
      ? absentUnderTombstone(input, head, observed.confirmed)
      : absentUnderFile(input, head, observed.confirmed);
  }
  return head.kind === 'tombstone' ? fileUnderTombstone(input, observed) : fileUnderFile(input, head, observed);
}

/**
 * The executable bit that `observed` carries into a head. Where the machine's bit does not count, or the machine did not
 * change it since the base, the head's bit stays; so an edit made on Windows never takes the bit from a script, and an
 * edit on one machine does not undo a `chmod` on another.
 */
export function executableOf(
  input: Pick<PlanInput, 'head' | 'base' | 'executableBitCounts'>,
  observed: { readonly executable: boolean },
): boolean {
  const { head, base } = input;
  const headsBit = head?.kind === 'file' ? head.executable : null;
  if (!input.executableBitCounts) return headsBit ?? (base?.kind === 'file' && base.executable);
  if (headsBit !== null && base?.kind === 'file' && base.executable === observed.executable) return headsBit;
  return observed.executable;
}

type File = Extract<Observed, { kind: 'file' }>;

/** What the planner would believe without the guards on observations. */
function withoutGuardsThatAreOff(input: PlanInput): PlanInput {
  const { observed } = input;
  const taken =
    (observed.kind === 'unknown' && !isOn(input, 'unknown-is-not-absent')) ||
    (observed.kind === 'absent' && !isOn(input, 'confirm-delete'));
  return taken ? { ...input, observed: { kind: 'absent', confirmed: true } } : input;
}

function absentUnderTombstone(input: PlanInput, head: Head, confirmed: boolean): Plan {
  const { base } = input;
  if (base?.kind === 'absent' && base.seq === head.seq && input.evictedSeq === null) {
    return { do: 'nothing', why: 'acknowledged' };
  }
  // Adopted on a first look, a save by rename would read as an acknowledged delete, and the file that returns a moment
  // later as a new one: it would undo the delete everywhere.
  if (base?.kind === 'file' && input.evictedSeq === null && !confirmed) return { do: 'confirm-delete' };
  return { do: 'adopt' };
}

function absentUnderFile(input: PlanInput, head: Head, confirmed: boolean): Plan {
  const { base, evictedSeq } = input;
  if (evictedSeq !== null) return evictedSeq === head.seq ? { do: 'nothing', why: 'evicted' } : { do: 'deliver' };
  const isDelete = base
    ? base.kind === 'file' && (isBaseOf(input, head, base) || !isOn(input, 'change-beats-delete'))
    : !isOn(input, 'union-without-base');
  if (!isDelete) return { do: 'deliver' };
  if (!confirmed) return { do: 'confirm-delete' };
  if (input.deleteRule === 'evict' && isOn(input, 'evict-not-delete')) return { do: 'evict' };
  return { do: 'commit-tombstone' };
}

function fileUnderTombstone(input: PlanInput, observed: File): Plan {
  const { base } = input;
  if (!base) return isOn(input, 'union-without-base') ? { do: 'commit' } : { do: 'deliver' };
  // The machine knew that the file was deleted and made it again.
  if (base.kind === 'absent') return { do: 'commit' };
  if (isSame(input, observed, base)) return { do: 'deliver' };
  return isOn(input, 'change-beats-delete') ? { do: 'commit' } : { do: 'deliver' };
}

function fileUnderFile(input: PlanInput, head: Head, observed: File): Plan {
  const { base } = input;
  if (isSame(input, observed, head)) {
    const isLevel =
      base?.kind === 'file' && base.seq === head.seq && isSame(input, observed, base) && input.evictedSeq === null;
    return isLevel ? { do: 'nothing', why: 'level' } : { do: 'adopt' };
  }
  if (!base) {
    // Nobody's content is at stake when only the bit differs: the copy that has it wins, as in a union.
    if (observed.hash === head.hash) return observed.executable ? { do: 'commit' } : { do: 'deliver' };
    return isOn(input, 'union-without-base') ? { do: 'first-conflict' } : { do: 'deliver' };
  }
  if (base.kind === 'file' && isSame(input, observed, base)) return { do: 'deliver' };
  if (base.kind === 'file' && isBaseOf(input, head, base)) return { do: 'commit' };
  // The same new content on both sides: only the bit is left to decide, and that needs no merge.
  if (observed.hash === head.hash) {
    return executableOf(input, observed) === head.executable ? { do: 'deliver' } : { do: 'commit' };
  }
  return { do: 'merge' };
}

/** Whether the head still is what was last verified on the machine (H = B). */
function isBaseOf(input: PlanInput, head: Head, base: Base): boolean {
  return isSame(input, { hash: head.hash ?? '', executable: head.executable }, base);
}

function isSame(
  input: PlanInput,
  a: { readonly hash: Sha256; readonly executable: boolean },
  b: { readonly hash: Sha256 | null; readonly executable: boolean },
): boolean {
  return a.hash === b.hash && (!input.executableBitCounts || a.executable === b.executable);
}

function isOn(input: PlanInput, guard: PlanGuard): boolean {
  return input.guards?.on(guard) ?? true;
}
