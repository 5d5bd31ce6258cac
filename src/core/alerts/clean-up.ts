import type { UnixMs } from '../domain.ts';
import type { Finding } from './alert.ts';
import type { CleanUpFacts, MachineFacts, Standing } from './facts.ts';

/** Sessions that are deleted within this time are told of. */
export const CLEAN_UP_SOON_MS = 3 * 86_400_000;
const DAY_MS = 86_400_000;
/** What is advised, days. */
const DAYS_WANTED = 365;

/**
 * Which sessions Claude Code is about to delete.
 * @param lastActivity of the sessions that only this machine has.
 * @param days its `cleanupPeriodDays`.
 */
export function dueForCleanUp(lastActivity: Iterable<UnixMs>, days: number, now: UnixMs): CleanUpFacts {
  let sessions = 0;
  let earliestAt: UnixMs | null = null;
  for (const at of lastActivity) {
    const due = at + days * DAY_MS;
    if (due > now + CLEAN_UP_SOON_MS) continue;
    sessions += 1;
    earliestAt = Math.min(earliestAt ?? due, due);
  }
  return { days, sessions, earliestAt };
}

/** Sessions that exist on one machine only and are about to be deleted there. With `isOnly`, there is no other machine to have them. */
export function cleanUp(
  { name, cleanUp: found }: MachineFacts,
  standing: Standing,
  { now, isOnly }: { readonly now: UnixMs; readonly isOnly: boolean },
): Finding[] {
  const id = `clean-up/${name}`;
  if (found === null) {
    const before = standing(id);
    return before === undefined ? [] : [before];
  }
  const { days, sessions, earliestAt } = found;
  if (sessions === 0 || earliestAt === null) return [];
  const when = earliestAt <= now ? 'at its next start' : `on ${new Date(earliestAt).toISOString().slice(0, 10)}`;
  const what = sessions === 1 ? '1 session' : `${sessions} sessions`;
  const first = sessions === 1 ? when : `the first ${when}`;
  return [
    {
      id,
      // With one machine that is so of every old session: worth knowing, and no cause for alarm.
      severity: isOnly ? 'info' : 'warning',
      message: `Claude Code on ${name} deletes sessions after ${days} days: ${what} that no other machine has will go within 3 days, ${first}`,
      unaffected: 'The hub keeps them all the same; claude-sync restore brings one back.',
      next: `Set "cleanupPeriodDays": ${DAYS_WANTED} in settings.json of Claude Code on ${name} to keep them there.`,
      machine: name,
      key: null,
    },
  ];
}
