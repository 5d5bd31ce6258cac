import type { Key } from '../domain.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** With this many logs that lost over half in one look, the machine is stopped. */
export const LOST_LOGS = 3;

/** Size of a log before and at this look, in bytes. */
export interface LogSize {
  readonly key: Key;
  /** As last verified. */
  readonly before: number;
  /** As seen now. A log that is absent is no business of this safeguard: it is evicted. */
  readonly now: number;
}

/**
 * Several conversations that shrank at once. A withdrawn message takes at most 64 KiB off one log; several logs cut in
 * half or emptied are a full disk, a crash of the file system or a half-restored backup.
 */
export function judgeLostLogs(logs: Iterable<LogSize>): Verdict {
  const lost = new Set<Key>();
  for (const log of logs) if (log.before > 0 && log.now * 2 < log.before) lost.add(log.key);
  if (lost.size < LOST_LOGS) return null;
  return {
    code: 'logs-lost',
    reason: `${lost.size} conversations lost more than half of their bytes at once; the hub still has all of them. ${RESUME_HINT}`,
  };
}
