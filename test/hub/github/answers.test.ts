import assert from 'node:assert/strict';
import { checkState, pullFacts, readPull } from '../../../src/hub/github/answers.ts';

const NODE = {
  ...{ id: 'PR_1', number: 1, title: 't', url: 'https://github.com/a/b/pull/1', isDraft: false },
  ...{ createdAt: '2026-03-01T08:00:00Z', updatedAt: '2026-03-01T08:00:00Z', headRefName: 'h', baseRefName: 'b' },
  ...{ reviewDecision: null, mergeable: 'MERGEABLE', author: { login: 'jo' }, totalCommentsCount: 0 },
  ...{ repository: { nameWithOwner: 'a/b', isArchived: false }, headRepository: null },
  ...{ labels: { nodes: [] }, reviewRequests: { nodes: [] }, latestReviews: { nodes: [] }, commits: { nodes: [] } },
};
const VIEW = { viewer: 'thh3', isAsked: false, queries: [] };

describe("GitHub's answers", () => {
  it('with words that nobody knows yet are read all the same', () => {
    const commits = {
      nodes: [
        {
          commit: {
            statusCheckRollup: {
              state: 'hasOwnProperty',
              contexts: { nodes: [{ __typename: 'CheckRun', name: 'x', status: 'COMPLETED', conclusion: 'valueOf' }] },
            },
          },
        },
      ],
    };
    const node = { ...NODE, reviewDecision: 'constructor', mergeable: '__proto__', commits };
    const reviews = { nodes: [{ author: null, state: 'toString', submittedAt: null }] };
    const read = readPull({ ...node, latestReviews: reviews });
    assert.ok(read !== null);
    const { reviewDecision, mergeable, reviews: told, checks } = pullFacts(read, VIEW);
    assert.deepEqual(
      [reviewDecision, mergeable, told],
      [null, 'unknown', [{ author: 'ghost', state: 'commented', at: null }]],
    );
    assert.deepEqual(checks, { state: 'pending', failing: ['x'] });
  });

  it('in which lists are missing or hold nonsense are read as far as they can be', () => {
    const read = readPull({
      ...NODE,
      labels: null,
      reviewRequests: { nodes: [null, { requestedReviewer: 7 }] },
      commits: { nodes: [{}] },
    });
    assert.ok(read !== null);
    const { labels, requestedReviewers, checks } = pullFacts(read, VIEW);
    assert.deepEqual([labels, requestedReviewers, checks], [[], [], { state: 'none', failing: [] }]);
  });

  it('that are no pull requests are none', () => {
    for (const node of [null, undefined, 7, 'x', [], {}, { ...NODE, id: '' }, { ...NODE, updatedAt: 'yesterday' }])
      assert.equal(readPull(node), null);
  });

  it('tell how a check stands', () => {
    const run = (status: string, conclusion: string | null): string =>
      checkState({ __typename: 'CheckRun', name: 'x', status, conclusion });
    assert.deepEqual(
      [run('QUEUED', null), run('COMPLETED', 'SUCCESS'), run('COMPLETED', 'NEUTRAL'), run('COMPLETED', 'CANCELLED')],
      ['pending', 'passed', 'skipped', 'failed'],
    );
  });
});
