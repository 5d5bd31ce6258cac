import type { PullFacts } from './pull.ts';

/** What a pull request wants from the user, most urgent first. */
export const ATTENTION_ORDER = [
  'needs-my-review',
  'changes-requested',
  'failing',
  'approved',
  'draft',
  'other',
] as const;

/** One of `ATTENTION_ORDER`. */
export type Attention = (typeof ATTENTION_ORDER)[number];

/** The one group that a pull request is in: what the user would have to do about it next. */
export function attentionOf(pull: PullFacts): Attention {
  if (pull.isMyTurn && !pull.isMine) return 'needs-my-review';
  if (pull.isDraft) return 'draft';
  if (!pull.isMine) return 'other';
  if (pull.reviewDecision === 'changes-requested') return 'changes-requested';
  if (pull.checks.state === 'failed') return 'failing';
  return pull.reviewDecision === 'approved' ? 'approved' : 'other';
}

/** For sorting: the most urgent group first, in it the latest update first, then by name, so that equal ones stay where they are. */
export function byUrgency(a: PullFacts, b: PullFacts): number {
  const group = ATTENTION_ORDER.indexOf(attentionOf(a)) - ATTENTION_ORDER.indexOf(attentionOf(b));
  if (group !== 0) return group;
  if (a.updatedAt !== b.updatedAt) return b.updatedAt - a.updatedAt;
  if (a.repository !== b.repository) return a.repository < b.repository ? -1 : 1;
  return b.number - a.number;
}
