import type { PullFacts } from './pull.ts';

/** What happened to a pull request between two looks. */
export type PullChange =
  'new' | 'review-requested' | 'approved' | 'changes-requested' | 'checks-failed' | 'checks-passed' | 'updated';

/** Those that are worth telling at once. */
export type PullEventKind = Extract<
  PullChange,
  'review-requested' | 'approved' | 'changes-requested' | 'checks-failed'
>;

/**
 * What is different about a pull request. Reviews and checks of others' pull requests are nobody's news: only that they changed.
 * @param before `null`: it was not there.
 */
export function changesOf(before: PullFacts | null, now: PullFacts): PullChange[] {
  const changes: PullChange[] = before === null ? ['new'] : [];
  if (now.isMyTurn && !now.isMine && before?.isMyTurn !== true) changes.push('review-requested');
  if (now.isMine) {
    if (now.reviewDecision === 'approved' && before?.reviewDecision !== 'approved') changes.push('approved');
    if (now.reviewDecision === 'changes-requested' && before?.reviewDecision !== 'changes-requested')
      changes.push('changes-requested');
    if (now.checks.state === 'failed' && before?.checks.state !== 'failed') changes.push('checks-failed');
    if (now.checks.state === 'passed' && before?.checks.state === 'failed') changes.push('checks-passed');
  }
  if (changes.length === 0 && before !== null && before.updatedAt !== now.updatedAt) changes.push('updated');
  return changes;
}

/** Changes that add up until the user looks: each once, and what was taken back by a later one goes. */
export function addChanges(before: readonly PullChange[], more: readonly PullChange[]): PullChange[] {
  const all = new Set([...before, ...more]);
  for (const change of more) for (const undone of UNDOES[change] ?? []) all.delete(undone);
  // Any other change says more.
  if (all.size > 1) all.delete('updated');
  return [...all];
}

const UNDOES: Readonly<Partial<Record<PullChange, readonly PullChange[]>>> = {
  approved: ['changes-requested'],
  'changes-requested': ['approved'],
  'checks-failed': ['checks-passed'],
  'checks-passed': ['checks-failed'],
};

/** The changes that the user is told of at once. */
export function eventsOf(changes: readonly PullChange[]): PullEventKind[] {
  return changes.filter((change): change is PullEventKind => EVENTS.has(change));
}

const EVENTS: ReadonlySet<PullChange> = new Set<PullEventKind>([
  'review-requested',
  'approved',
  'changes-requested',
  'checks-failed',
]);
