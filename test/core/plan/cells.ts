import type { Base, Head } from '../../../src/core/domain.ts';
import type { Observed, Plan, PlanInput } from '../../../src/core/plan/plan.ts';

/** Contents by one letter: `H` what the head holds, `O` an older one, `N` a new one. */
export type Content = 'H' | 'O' | 'N';

export const HEAD_SEQ = 7;

/** A head: `none`, `file` (content H) or `tombstone`. */
export function headOf(kind: 'none' | 'file' | 'tombstone', executable = false): Head | undefined {
  if (kind === 'none') return undefined;
  return {
    key: 'agents/a.md',
    seq: HEAD_SEQ,
    kind,
    size: kind === 'file' ? 1 : 0,
    hash: kind === 'file' ? 'H' : null,
    mtimeMs: 1000,
    executable,
    origin: 'rog',
  };
}

/** A base: `null`, `absent`, or the content that was last verified. */
export function baseOf(kind: 'null' | 'absent' | Content, seq = HEAD_SEQ, executable = false): Base | null {
  if (kind === 'null') return null;
  return {
    seq,
    kind: kind === 'absent' ? 'absent' : 'file',
    hash: kind === 'absent' ? null : kind,
    fileBytes: kind === 'absent' ? 0 : 1,
    mtimeMs: 1000,
    inode: '1',
    executable,
    cursor: null,
  };
}

/** An observation: `unknown`, `absent` (one look), `confirmed` (two looks) or a content. */
export function observedOf(kind: 'unknown' | 'absent' | 'confirmed' | Content, executable = false): Observed {
  if (kind === 'unknown') return { kind };
  if (kind === 'absent' || kind === 'confirmed') return { kind: 'absent', confirmed: kind === 'confirmed' };
  return { kind: 'file', hash: kind, size: 1, executable };
}

/** An input with everything at its plainest, changed by `parts`. */
export function inputOf(parts: Partial<PlanInput>): PlanInput {
  return {
    head: undefined,
    base: null,
    observed: { kind: 'unknown' },
    evictedSeq: null,
    deleteRule: 'tombstone',
    executableBitCounts: true,
    ...parts,
  };
}

/** A plan in one word, e.g. `deliver` or `nothing:level`. */
export function wordOf(plan: Plan): string {
  return plan.do === 'nothing' ? `nothing:${plan.why}` : plan.do;
}
