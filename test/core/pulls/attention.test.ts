import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ATTENTION_ORDER, attentionOf, byUrgency } from '../../../src/core/pulls/attention.ts';
import type { PullFacts } from '../../../src/core/pulls/pull.ts';
import { ATTENTIONS } from '../../../src/protocol/pulls.ts';
import { somePull } from './sample.ts';

const FAILED = { state: 'failed', failing: ['test'] } as const;

describe('what a pull request wants from the user', () => {
  const cases: readonly [string, Partial<PullFacts>, ReturnType<typeof attentionOf>][] = [
    ['a review that is asked for', { isMyTurn: true }, 'needs-my-review'],
    ['a review of a draft that is asked for', { isMyTurn: true, isDraft: true }, 'needs-my-review'],
    ['mine where my own team is asked', { isMine: true, isMyTurn: true }, 'other'],
    [
      'mine, changes requested, and failing',
      { isMine: true, reviewDecision: 'changes-requested', checks: FAILED },
      'changes-requested',
    ],
    ['mine, failing although approved', { isMine: true, reviewDecision: 'approved', checks: FAILED }, 'failing'],
    ['mine, approved', { isMine: true, reviewDecision: 'approved' }, 'approved'],
    ['my draft that fails', { isMine: true, isDraft: true, checks: FAILED }, 'draft'],
    ['the draft of somebody else', { isDraft: true }, 'draft'],
    ["somebody else's that fails", { checks: FAILED, reviewDecision: 'changes-requested' }, 'other'],
    ['mine that waits for a review', { isMine: true, reviewDecision: 'review-required' }, 'other'],
  ];
  for (const [what, given, expected] of cases)
    it(`${what}: ${expected}`, () => assert.equal(attentionOf(somePull(given)), expected));

  it('is told to clients in the same words and order', () => assert.deepEqual(ATTENTION_ORDER, ATTENTIONS));

  it('comes in an order that does not depend on where it was', () => {
    const pull = fc.record({
      id: fc.uuid(),
      number: fc.integer({ min: 1, max: 9 }),
      repository: fc.constantFrom('a/a', 'b/b'),
      updatedAt: fc.integer({ min: 0, max: 3 }),
      isMine: fc.boolean(),
      isMyTurn: fc.boolean(),
      isDraft: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(pull, { maxLength: 12 }), (given) => {
        const pulls = given.map((one) => somePull(one));
        const sorted = [...pulls].sort(byUrgency);
        const groups = sorted.map((one) => ATTENTION_ORDER.indexOf(attentionOf(one)));
        assert.deepEqual(
          groups,
          [...groups].sort((a, b) => a - b),
        );
        const told = (list: readonly PullFacts[]): string[] =>
          list.map(({ repository, number, updatedAt }) => `${repository}#${number} ${updatedAt}`);
        assert.deepEqual(told([...pulls].reverse().sort(byUrgency)), told(sorted));
      }),
    );
  });
});
