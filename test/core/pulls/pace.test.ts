import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nextRefreshAt, type Pace } from '../../../src/core/pulls/pace.ts';

const MINUTE = 60_000;
const usual: Pace = {
  now: 1_000_000,
  everyMs: 5 * MINUTE,
  rate: { limit: 5_000, remaining: 4_900, resetAt: 1_000_000 + 40 * MINUTE, cost: 5 },
  failures: 0,
  notBefore: null,
};

describe('when GitHub is asked again', () => {
  it('is as configured while there is enough', () => {
    assert.equal(nextRefreshAt(usual), usual.now + 5 * MINUTE);
    assert.equal(nextRefreshAt({ ...usual, rate: null }), usual.now + 5 * MINUTE);
  });

  it('is after the reset when less than a tenth is left', () => {
    const rate = { ...usual.rate!, remaining: 504 };
    assert.equal(nextRefreshAt({ ...usual, rate }), rate.resetAt);
    assert.equal(nextRefreshAt({ ...usual, rate: { ...rate, remaining: 505 } }), usual.now + 5 * MINUTE);
    // A reset that has been is no reason to wait.
    assert.equal(nextRefreshAt({ ...usual, rate: { ...rate, resetAt: usual.now - 1 } }), usual.now + 5 * MINUTE);
  });

  it('leaves half of the budget to the user when a refresh is dear', () => {
    const rate = { ...usual.rate!, cost: 500 };
    assert.equal(nextRefreshAt({ ...usual, rate }), usual.now + 12 * MINUTE);
  });

  it('is soon after a failure, and later after more of them', () => {
    const after = (failures: number): number => (nextRefreshAt({ ...usual, failures }) - usual.now) / MINUTE;
    assert.deepEqual([1, 2, 3, 4, 50].map(after), [1, 2, 4, 5, 5]);
  });

  it('is never before GitHub allows it', () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(60), fc.nat(20), (notBefore, minutes, failures) => {
        const at = nextRefreshAt({ ...usual, everyMs: minutes * MINUTE, failures, notBefore });
        assert.ok(at >= notBefore && at >= usual.now);
      }),
    );
  });
});
