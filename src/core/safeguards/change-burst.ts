import type { Base } from '../domain.ts';
import type { Plan } from '../plan/plan.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** This many changed files in one look are always let through. */
export const CHANGES_ALLOWED = 50;
/** So is this share of the machine's files. */
export const CHANGE_SHARE_ALLOWED = 0.3;

/** What one look at a machine found. */
export interface LookTally {
  /** Files whose plan `countsAsChange`. Growth of logs is not among them. */
  readonly changed: number;
  /** Files the machine was known to hold before the look. */
  readonly files: number;
}

/**
 * Whether a plan means that the machine changed a file that was known there. Not counted: new files, and everything at a
 * first scan (no base); what the hub itself wrote (the copy equals the head, so nothing is committed); evictions.
 */
export function countsAsChange(plan: Plan, base: Base | null): boolean {
  if (base?.kind !== 'file') return false;
  return plan.do === 'commit' || plan.do === 'commit-tombstone' || plan.do === 'merge';
}

/** Too many known files that are different at once: encryption, a wrong search-and-replace, a damaged disk. */
export function judgeChangeBurst(look: LookTally): Verdict {
  const allowed = Math.max(CHANGES_ALLOWED, Math.floor(look.files * CHANGE_SHARE_ALLOWED));
  if (look.changed <= allowed) return null;
  return {
    code: 'many-changes',
    reason: `${look.changed} of ${look.files} files changed at once (${allowed} are let through); nothing of it was passed on. ${RESUME_HINT}`,
  };
}
