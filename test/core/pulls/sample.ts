import type { PullFacts } from '../../../src/core/pulls/pull.ts';

/** A pull request of somebody else with nothing special about it. */
export function somePull(given: Partial<PullFacts> = {}): PullFacts {
  return {
    id: 'PR_1',
    repository: 'acme/app',
    number: 1,
    title: 'A change',
    url: 'https://github.com/acme/app/pull/1',
    author: 'jo',
    isMine: false,
    isDraft: false,
    createdAt: 1_000,
    updatedAt: 2_000,
    branch: 'change',
    headRepository: 'acme/app',
    baseBranch: 'main',
    labels: [],
    reviewDecision: null,
    requestedReviewers: [],
    isMyTurn: false,
    reviews: [],
    mergeable: 'mergeable',
    checks: { state: 'none', failing: [] },
    comments: 0,
    queries: [],
    ...given,
  };
}
