import type { UnixMs } from '../domain.ts';
import type { Alert, Finding, Severity } from './alert.ts';

/** A cause that is back within this time was never really gone: what comes and goes is told once. */
export const SAME_ALERT_MS = 600_000;
/** Alerts whose cause is gone are kept for this long, */
export const CLEARED_KEPT_MS = 30 * 86_400_000;
/** and not more than this many of them. */
export const MOST_CLEARED = 500;

const WORSE: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** What one look at everything changed. */
export interface Followed {
  /** All alerts from now on, those among them whose cause is gone. */
  readonly alerts: readonly Alert[];
  /** New: to be told. */
  readonly raised: readonly Alert[];
  /** Known, and worse than before: to be told again. A dismissal ends with it. */
  readonly worse: readonly Alert[];
  /** Their cause is gone since this look. */
  readonly cleared: readonly Alert[];
  /** What has to be written: all of the above, those that are back, and those whose words are others. */
  readonly changed: readonly Alert[];
  /** Ids of those that are forgotten. */
  readonly forgotten: readonly string[];
}

/**
 * What becomes of the known alerts when `findings` is all that is the matter at `now`. An alert is raised once, follows its cause in
 * words without being told anew, and clears by itself. One whose cause is back within `SAME_ALERT_MS` is the same, and stays dismissed.
 */
export function follow(known: readonly Alert[], findings: readonly Finding[], now: UnixMs): Followed {
  const before = new Map(known.map((alert) => [alert.id, alert]));
  const after = new Map<string, Alert>();
  const lists = { raised: [] as Alert[], worse: [] as Alert[], cleared: [] as Alert[], changed: [] as Alert[] };
  for (const finding of findings) {
    if (after.has(finding.id)) continue;
    const old = before.get(finding.id);
    const alert = old === undefined || isOver(old, now) ? raise(finding, now) : goOn(old, finding);
    after.set(alert.id, alert);
    if (old === undefined || isOver(old, now)) lists.raised.push(alert);
    else if (WORSE[alert.severity] > WORSE[old.severity]) lists.worse.push(alert);
    if (old === undefined || !isSame(old, alert)) lists.changed.push(alert);
  }
  for (const old of known) {
    if (after.has(old.id)) continue;
    const alert = old.clearedAt === null ? { ...old, clearedAt: now } : old;
    after.set(alert.id, alert);
    if (alert !== old) lists.cleared.push(alert);
  }
  lists.changed.push(...lists.cleared);
  const forgotten = tooOld([...after.values()], now);
  for (const id of forgotten) after.delete(id);
  return { alerts: [...after.values()], ...lists, forgotten };
}

/** The worst first, then the newest. */
export function byUrgency(a: Alert, b: Alert): number {
  return WORSE[b.severity] - WORSE[a.severity] || b.raisedAt - a.raisedAt || (a.id < b.id ? -1 : 1);
}

/** Whether the user is to see it: the cause lasts, and nobody dismissed it. */
export function isActive(alert: Alert): boolean {
  return alert.clearedAt === null && alert.dismissedAt === null;
}

/** A clock that was put back may leave a time in the future, which says nothing. */
function isOver({ clearedAt }: Alert, now: UnixMs): boolean {
  return clearedAt !== null && Math.abs(now - clearedAt) > SAME_ALERT_MS;
}

function raise(finding: Finding, now: UnixMs): Alert {
  return { ...wordsOf(finding), raisedAt: now, clearedAt: null, dismissedAt: null };
}

function goOn(old: Alert, finding: Finding): Alert {
  const isWorse = WORSE[finding.severity] > WORSE[old.severity];
  const { raisedAt, dismissedAt } = old;
  return { ...wordsOf(finding), raisedAt, clearedAt: null, dismissedAt: isWorse ? null : dismissedAt };
}

/** A finding alone: one that was kept as it stood brings its history along. */
function wordsOf({ id, severity, message, unaffected, next, machine, key }: Finding): Finding {
  return { id, severity, message, unaffected, next, machine, key };
}

function isSame(a: Alert, b: Alert): boolean {
  return (Object.keys(a) as (keyof Alert)[]).every((name) => a[name] === b[name]);
}

function tooOld(alerts: readonly Alert[], now: UnixMs): string[] {
  const cleared = alerts
    .flatMap(({ id, clearedAt }) => (clearedAt === null ? [] : [{ id, clearedAt }]))
    .sort((a, b) => b.clearedAt - a.clearedAt);
  return cleared.flatMap(({ id, clearedAt }, index) =>
    index >= MOST_CLEARED || now - clearedAt > CLEARED_KEPT_MS ? [id] : [],
  );
}
