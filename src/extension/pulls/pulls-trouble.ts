import { plainLine } from '../../client/plain-text.ts';
import type { PullsState, PullsStatus } from '../../protocol/pulls.ts';
import { localTime } from '../figures.ts';
import { factNode, type TreeNode } from '../tree/tree-node.ts';

/** States that a row tells of; the others have a welcome text, or nothing to tell. */
const WORDS: Readonly<Partial<Record<PullsState, string>>> = {
  partial: 'GitHub refused some of it',
  'gh-missing': 'The GitHub CLI is not installed',
  'gh-too-old': 'The GitHub CLI is too old',
  'not-logged-in': 'Not signed in to GitHub',
  'missing-scopes': 'GitHub wants more permissions',
  unreachable: 'GitHub cannot be reached',
  'rate-limited': 'GitHub wants a pause',
  'bad-answer': 'GitHub gave an unknown answer',
  'too-large': 'GitHub gave too large an answer',
  failed: 'GitHub could not be asked',
};

/**
 * A row that says what is the matter with the pull requests, in a few words so that it leaves them their place; below it why, and what to do.
 * @param isAlone whether there is nothing else to show. @returns no row while nothing is the matter.
 */
export function pullsTrouble(status: PullsStatus, isAlone: boolean): TreeNode[] {
  const { state, message, next, warnings, stale, refreshedAt } = status;
  const label = WORDS[state];
  if (label === undefined) return [];
  const why = [...(message === null ? [] : [message]), ...warnings].map(plainLine);
  const from = stale && refreshedAt > 0 ? `as of ${localTime(refreshedAt)}` : '';
  const step = next === null ? [] : [plainLine(next)];
  return [
    {
      id: 'trouble',
      label,
      description: from,
      icon: { name: 'warning', color: 'list.warningForeground' },
      tooltip: [label, ...why, ...step.map((words) => `Next: ${words}`)],
      spoken: [label, from, ...step.map((words) => `next: ${words}`)].filter((part) => part !== '').join(', '),
      flags: ['trouble'],
      isOpen: isAlone,
      children: [
        ...why.map((words, index) => factNode(`trouble/why/${index}`, 'Why', words)),
        ...step.map((words) => factNode('trouble/next', 'Next', words, { name: 'arrow-right' })),
      ],
    },
  ];
}
