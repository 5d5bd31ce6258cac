import { z } from 'zod';
import type { PullFacts, Review } from '../../core/pulls/pull.ts';
import type { Rate } from '../../core/pulls/pace.ts';

/** What is checked of GitHub's answers. Whatever is not as it should be is left out, never guessed. */
const LOGIN = z.object({ login: z.string() }).nullish();
const TIME = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const CONTEXT = z.union([
  z.object({
    __typename: z.literal('CheckRun'),
    name: z.string(),
    status: z.string(),
    conclusion: z.string().nullish(),
    detailsUrl: z.string().nullish(),
  }),
  z.object({
    __typename: z.literal('StatusContext'),
    context: z.string(),
    state: z.string(),
    targetUrl: z.string().nullish(),
  }),
]);

/** A list in which single entries may be missing or unreadable. */
function listOf<T>(entry: z.ZodType<T>): z.ZodType<T[]> {
  const one = entry.nullable().catch(null);
  const nodes = z.object({ nodes: z.array(one).nullish() }).nullish();
  return nodes.transform((list) => (list?.nodes ?? []).filter((found) => found !== null));
}

const ROLLUP = z.object({ state: z.string(), contexts: listOf(CONTEXT) }).nullish();
const COMMITS = listOf(z.object({ commit: z.object({ statusCheckRollup: ROLLUP }) }));

const PULL = z.object({
  id: z.string().min(1),
  number: z.number().int(),
  title: z.string(),
  url: z.string(),
  isDraft: z.boolean(),
  createdAt: TIME,
  updatedAt: TIME,
  headRefName: z.string(),
  baseRefName: z.string(),
  reviewDecision: z.string().nullish(),
  mergeable: z.string().nullish(),
  author: LOGIN,
  repository: z.object({ nameWithOwner: z.string(), isArchived: z.boolean().nullish() }),
  headRepository: z.object({ nameWithOwner: z.string() }).nullish(),
  labels: listOf(z.object({ name: z.string(), color: z.string() })),
  reviewRequests: listOf(
    z.object({
      requestedReviewer: z
        .object({ login: z.string().optional(), combinedSlug: z.string().optional() })
        .nullish()
        .catch(null),
    }),
  ),
  latestReviews: listOf(z.object({ author: LOGIN, state: z.string(), submittedAt: TIME.nullish() })),
  totalCommentsCount: z.number().int().nullish(),
  commits: COMMITS,
});

/** A pull request with its repository's being archived, before anything is known about the user. */
export type PullAnswer = z.output<typeof PULL>;

/** One pull request of an answer; `null` when it is missing, refused or not what GitHub's schema says. */
export function readPull(node: unknown): PullAnswer | null {
  return PULL.safeParse(node).data ?? null;
}

const REPOSITORY = z.object({
  id: z.string(),
  nameWithOwner: z.string(),
  isArchived: z.boolean().nullish(),
  pullRequests: z
    .object({
      totalCount: z.number().int(),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
      nodes: z.array(z.unknown()).nullish(),
    })
    .nullable(),
});

/** A repository of an answer. */
export type RepositoryAnswer = z.output<typeof REPOSITORY>;

/** One repository of an answer, `null` when it is missing or refused. */
export function readRepository(node: unknown): RepositoryAnswer | null {
  return REPOSITORY.safeParse(node).data ?? null;
}

const PAGE = z.object({
  login: z.string().min(1),
  repositories: z
    .object({
      totalCount: z.number().int(),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
      nodes: z.array(z.unknown()).nullish(),
    })
    .nullable(),
});

/** The viewer of an answer with a page of repositories; `null` when there is none. */
export function readRepositoriesPage(viewer: unknown): z.output<typeof PAGE> | null {
  return PAGE.safeParse(viewer).data ?? null;
}

const SEARCH = z.object({ issueCount: z.number().int(), nodes: z.array(z.unknown()).nullish() });

/** The result of a search; `null` when it was refused. */
export function readSearch(node: unknown): z.output<typeof SEARCH> | null {
  return SEARCH.safeParse(node).data ?? null;
}

const RATE = z.object({ limit: z.number(), cost: z.number(), remaining: z.number(), resetAt: TIME });

/** GitHub's budget as an answer tells it. */
export function readRate(node: unknown): Rate | null {
  return RATE.safeParse(node).data ?? null;
}

/** What the list needs to know besides the pull request itself. */
export interface Viewpoint {
  /** The user's login. */
  readonly viewer: string;
  /** Whether a search for what the user is asked to review found it. */
  readonly isAsked: boolean;
  readonly queries: readonly string[];
}

/** A pull request in the product's words. */
export function pullFacts(answer: PullAnswer, { viewer, isAsked, queries }: Viewpoint): PullFacts {
  const author = answer.author?.login ?? 'ghost';
  const requestedReviewers = answer.reviewRequests.flatMap(({ requestedReviewer: asked }) => {
    const name = asked?.login ?? asked?.combinedSlug;
    return name === undefined ? [] : [name];
  });
  const isMe = (login: string): boolean => login.toLowerCase() === viewer.toLowerCase();
  const rollup = answer.commits.at(-1)?.commit.statusCheckRollup ?? null;
  return {
    id: answer.id,
    repository: answer.repository.nameWithOwner,
    number: answer.number,
    title: answer.title,
    url: answer.url,
    author,
    isMine: isMe(author),
    isDraft: answer.isDraft,
    createdAt: answer.createdAt,
    updatedAt: answer.updatedAt,
    branch: answer.headRefName,
    headRepository: answer.headRepository?.nameWithOwner ?? null,
    baseBranch: answer.baseRefName,
    labels: answer.labels,
    reviewDecision: wordFor(DECISIONS, answer.reviewDecision) ?? null,
    requestedReviewers,
    isMyTurn: isAsked || requestedReviewers.some(isMe),
    reviews: answer.latestReviews.map(({ author: reviewer, state, submittedAt }): Review => ({
      author: reviewer?.login ?? 'ghost',
      state: wordFor(REVIEWS, state) ?? 'commented',
      at: submittedAt ?? null,
    })),
    mergeable: wordFor(MERGEABLE, answer.mergeable) ?? 'unknown',
    checks: {
      state: rollup === null ? 'none' : (wordFor(ROLLUPS, rollup.state) ?? 'pending'),
      failing: (rollup?.contexts ?? []).filter((one) => checkState(one) === 'failed').map(checkName),
    },
    comments: answer.totalCommentsCount ?? 0,
    queries,
  };
}

/** Our word for one of GitHub's; of its own properties only: `constructor` is none. */
function wordFor<T>(words: Readonly<Record<string, T>>, word: string | null | undefined): T | undefined {
  return typeof word === 'string' && Object.hasOwn(words, word) ? words[word] : undefined;
}

const DECISIONS: Readonly<Record<string, PullFacts['reviewDecision']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  REVIEW_REQUIRED: 'review-required',
};
const REVIEWS: Readonly<Record<string, Review['state']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
  PENDING: 'pending',
};
const MERGEABLE: Readonly<Record<string, PullFacts['mergeable']>> = {
  MERGEABLE: 'mergeable',
  CONFLICTING: 'conflicting',
};
const ROLLUPS: Readonly<Record<string, PullFacts['checks']['state']>> = {
  SUCCESS: 'passed',
  FAILURE: 'failed',
  ERROR: 'failed',
  PENDING: 'pending',
  EXPECTED: 'pending',
};

/** One check of the last commit. */
export type CheckAnswer = z.output<typeof CONTEXT>;

/** What a check is called. */
export function checkName(check: CheckAnswer): string {
  return check.__typename === 'CheckRun' ? check.name : check.context;
}

/** How a check stands. */
export function checkState(check: CheckAnswer): 'pending' | 'passed' | 'failed' | 'skipped' {
  if (check.__typename === 'StatusContext') {
    const state = wordFor(ROLLUPS, check.state) ?? 'pending';
    return state === 'none' ? 'pending' : state;
  }
  if (check.status !== 'COMPLETED') return 'pending';
  return wordFor(CONCLUSIONS, check.conclusion) ?? 'failed';
}

const CONCLUSIONS: Readonly<Record<string, 'passed' | 'skipped'>> = {
  SUCCESS: 'passed',
  NEUTRAL: 'skipped',
  SKIPPED: 'skipped',
  STALE: 'skipped',
};

const DETAIL = z.object({
  state: z.string(),
  body: z.string().nullish(),
  additions: z.number().int(),
  deletions: z.number().int(),
  changedFiles: z.number().int(),
  comments: listOf(z.object({ author: LOGIN, createdAt: TIME, body: z.string() })),
  all: z.object({ totalCount: z.number().int() }),
});
const DETAIL_CHECKS = z.object({
  all: listOf(z.object({ commit: z.object({ statusCheckRollup: z.object({ contexts: listOf(CONTEXT) }).nullish() }) })),
});

/** What the list does not have of a pull request; `null` when the answer does not hold it. */
export function readDetail(
  node: unknown,
): (z.output<typeof DETAIL> & { readonly checks: readonly CheckAnswer[] }) | null {
  const detail = DETAIL.safeParse(node).data;
  const checks = DETAIL_CHECKS.safeParse(node).data?.all.at(-1)?.commit.statusCheckRollup?.contexts ?? [];
  return detail === undefined ? null : { ...detail, checks };
}
