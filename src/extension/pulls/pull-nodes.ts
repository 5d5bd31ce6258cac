import { ATTENTION_WORDS, BELONGS_WORDS, CHANGE_WORDS } from '../../client/pull-words.ts';
import { plainLine } from '../../client/plain-text.ts';
import { ATTENTIONS, type Attention, type Pull, type PullsListResult } from '../../protocol/pulls.ts';
import { COMMANDS } from '../contributions.ts';
import { localTime } from '../figures.ts';
import { factNode, type TreeNode } from '../tree/tree-node.ts';
import { pullsTrouble } from './pulls-trouble.ts';

const GROUP_ICONS: Readonly<Record<Attention, string>> = {
  'needs-my-review': 'eye',
  'changes-requested': 'request-changes',
  failing: 'error',
  approved: 'pass',
  draft: 'git-pull-request-draft',
  other: 'git-pull-request',
};

const CHECK_ICONS: Readonly<Record<Pull['checks']['state'], NonNullable<TreeNode['icon']>>> = {
  none: { name: 'git-pull-request' },
  pending: { name: 'circle-filled', color: 'list.warningForeground' },
  passed: { name: 'pass', color: 'testing.iconPassed' },
  failed: { name: 'error', color: 'list.errorForeground' },
};

const REVIEW_WORDS = {
  approved: 'approved',
  'changes-requested': 'changes requested',
  'review-required': 'review required',
} as const;

/** Pull requests in groups, the most urgent first; groups without any are left out. Above them what is the matter, if anything. */
export function pullNodes({ pulls, status }: PullsListResult): TreeNode[] {
  const groups = ATTENTIONS.flatMap((attention): TreeNode[] => {
    const members = pulls.filter((pull) => pull.attention === attention);
    if (members.length === 0) return [];
    const label = ATTENTION_WORDS[attention];
    return [
      {
        id: attention,
        label,
        description: String(members.length),
        icon: { name: GROUP_ICONS[attention] },
        spoken: `${label}, ${members.length} ${members.length === 1 ? 'pull request' : 'pull requests'}`,
        flags: ['group'],
        isOpen: attention !== 'other' && attention !== 'draft',
        children: members.map(pullNode),
      },
    ];
  });
  return [...pullsTrouble(status, groups.length === 0), ...groups];
}

function pullNode(pull: Pull): TreeNode {
  const { repository, number, title, url, author, checks, reviewDecision, changes, stale, sessions, updatedAt } = pull;
  const name = `${plainLine(repository)}#${number}`;
  const news = changes.map((change) => CHANGE_WORDS[change]).join(', ');
  const label = plainLine(title);
  const checkWords =
    checks.state === 'failed' && checks.failing.length > 0
      ? `failed: ${plainLine(checks.failing.join(', '))}`
      : checks.state;
  return {
    id: `${repository}#${number}`,
    label,
    description: [name, plainLine(author), news, stale ? 'as it was before' : '']
      .filter((part) => part !== '')
      .join(' · '),
    icon: CHECK_ICONS[checks.state],
    tooltip: [label, name, ...facts(pull, checkWords).map(([what, value]) => `${what}: ${value}`)],
    spoken: `${label}, ${name} by ${plainLine(author)}, checks ${checkWords}${reviewDecision === null ? '' : `, ${REVIEW_WORDS[reviewDecision]}`}${news === '' ? '' : `, new: ${news}`}, updated ${localTime(updatedAt)}`,
    flags: ['pull', ...(sessions.length > 0 ? ['conversation'] : [])],
    opens: COMMANDS.openPull,
    subject: { kind: 'pull', repository, number, url },
    children: [
      // What leads on comes before what is known.
      ...sessions.map(({ session, by, at }): TreeNode => {
        const words = `${BELONGS_WORDS[by]}, ${localTime(at)}`;
        return {
          id: `${repository}#${number}/session/${session}`,
          label: 'Conversation',
          description: words,
          icon: { name: 'comment-discussion' },
          tooltip: [`Conversation ${plainLine(session)}`, words],
          spoken: `Conversation, ${words}`,
          flags: ['session'],
          opens: COMMANDS.openConversation,
          subject: { kind: 'session', session },
        };
      }),
      ...facts(pull, checkWords).map(([what, value]) => factNode(`${repository}#${number}/${what}`, what, value)),
    ],
  };
}

function facts(pull: Pull, checkWords: string): [what: string, value: string][] {
  const { author, branch, baseBranch, reviewDecision, reviews, mergeable, updatedAt, labels, requestedReviewers } =
    pull;
  return [
    ['Author', plainLine(author)],
    ['Branch', plainLine(`${branch} into ${baseBranch}`)],
    ['Checks', checkWords],
    ['Review', reviewDecision === null ? 'none asked for' : REVIEW_WORDS[reviewDecision]],
    ...reviews.map(({ author: by, state }): [string, string] => [`By ${plainLine(by)}`, state]),
    ...(requestedReviewers.length === 0
      ? []
      : ([['Asked', plainLine(requestedReviewers.join(', '))]] as [string, string][])),
    ...(mergeable === 'conflicting' ? ([['Merge', 'has conflicts with its base']] as [string, string][]) : []),
    ...(labels.length === 0
      ? []
      : ([['Labels', plainLine(labels.map(({ name }) => name).join(', '))]] as [string, string][])),
    ['Updated', localTime(updatedAt)],
  ];
}
