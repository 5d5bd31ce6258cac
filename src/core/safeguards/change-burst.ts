import type { Base, FileStat, UnixMs } from '../domain.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** This many changed files in one look are always let through. */
export const CHANGES_ALLOWED = 50;
/** So is this share of the machine's files. */
export const CHANGE_SHARE_ALLOWED = 0.3;

/**
 * A file that is changed again within this time is still being written, ms: who makes a thousand files makes them empty and fills them, and
 * what was seen in between is no content that anybody could lose.
 */
export const STILL_WRITTEN_MS = 60_000;

/** What one look at a machine found. */
export interface LookTally {
  /** Files that `countsAsChange`. */
  readonly changed: number;
  /** Files the machine was known to hold before the look. */
  readonly files: number;
}

/** What a change is told by. Times are the machine's own. */
type Seen = { readonly mtimeMs: UnixMs };

/**
 * Whether a known file of a machine became another one. Not for logs, which grow. What was empty cannot be damaged; a file that became
 * older was not just written.
 * @param before as it was verified last. @param now as it was listed.
 */
export function countsAsChange(before: Seen & Pick<Base, 'fileBytes'>, now: Seen & Pick<FileStat, 'size'>): boolean {
  if (before.fileBytes === 0 || before.fileBytes === now.size) return false;
  const age = now.mtimeMs - before.mtimeMs;
  return age < 0 || age > STILL_WRITTEN_MS;
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
