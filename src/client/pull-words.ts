import type { Attention, PullChange } from '../protocol/pulls.ts';

/** What a group is called, for people. */
export const ATTENTION_WORDS: Record<Attention, string> = {
  'needs-my-review': 'Needs your review',
  'changes-requested': 'Changes requested',
  failing: 'Checks fail',
  approved: 'Approved',
  draft: 'Drafts',
  other: 'Others',
};

/** How a pull request belongs to a conversation, for people. */
export const BELONGS_WORDS = { link: 'named there', branch: 'by branch' } as const;

/** What happened to a pull request, for people. */
export const CHANGE_WORDS: Record<PullChange, string> = {
  new: 'new',
  'review-requested': 'to review',
  approved: 'approved',
  'changes-requested': 'changes requested',
  'checks-failed': 'checks failed',
  'checks-passed': 'checks passed',
  updated: 'updated',
};
