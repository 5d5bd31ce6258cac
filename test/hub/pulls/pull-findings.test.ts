import assert from 'node:assert/strict';
import { pullFindings } from '../../../src/hub/pulls/pull-findings.ts';
import { PULLS_STATES, type PullsStatus } from '../../../src/protocol/pulls.ts';

const STATUS: PullsStatus = {
  ...{ state: 'ok', message: null, next: null, warnings: [], viewer: 'thh3', refreshedAt: 1, nextRefreshAt: 2 },
  ...{ isRefreshing: false, stale: false, repositories: 12, rate: null },
};

describe('what doctor says about pull requests', () => {
  it('is nothing while nobody asked, and fine when all is well', () => {
    assert.deepEqual(pullFindings({ ...STATUS, state: 'off' }), []);
    assert.deepEqual(pullFindings({ ...STATUS, state: 'never' }), []);
    const [fine] = pullFindings(STATUS);
    assert.deepEqual([fine?.severity, fine?.message], ['ok', 'GitHub as thh3, 12 repositories']);
  });

  it('names a fix for everything else', () => {
    for (const state of PULLS_STATES.filter((one) => !['off', 'never', 'ok'].includes(one))) {
      const findings = pullFindings({ ...STATUS, state, message: 'what is the matter', warnings: ['a', 'b'] });
      assert.equal(findings.length, state === 'partial' ? 2 : 1, state);
      for (const { severity, fix } of findings) assert.ok(severity === 'warning' && fix !== null && fix !== '', state);
    }
  });
});
