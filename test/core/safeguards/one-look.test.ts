import assert from 'node:assert/strict';
import { judgeChangeBurst } from '../../../src/core/safeguards/change-burst.ts';
import { judgeLostLogs } from '../../../src/core/safeguards/lost-logs.ts';
import { judgeRoot } from '../../../src/core/safeguards/root-state.ts';
import type { RootState } from '../../../src/core/safeguards/root-state.ts';

describe('files that changed in one look', () => {
  it('are let through up to 50, or up to 30 % of the tree', () => {
    assert.equal(judgeChangeBurst({ changed: 50, files: 60 }), null);
    assert.equal(judgeChangeBurst({ changed: 51, files: 60 })?.code, 'many-changes');
    assert.equal(judgeChangeBurst({ changed: 300, files: 1000 }), null);
    assert.equal(judgeChangeBurst({ changed: 301, files: 1000 })?.code, 'many-changes');
  });
});

describe('logs that lost their content', () => {
  const log = (key: string, before: number, now: number): { key: string; before: number; now: number } => ({
    key,
    before,
    now,
  });

  it('stop the machine when three are cut to less than half or emptied', () => {
    assert.equal(judgeLostLogs([log('a', 100, 49), log('b', 100, 0)]), null);
    assert.equal(judgeLostLogs([log('a', 100, 49), log('b', 100, 0), log('c', 9, 4)])?.code, 'logs-lost');
  });

  it('are not those from which a message was withdrawn, that grew, or that were always empty', () => {
    const usual = [log('a', 100, 50), log('b', 100, 99), log('c', 100, 400), log('d', 0, 0), log('e', 0, 9)];
    assert.equal(judgeLostLogs(usual), null);
  });

  it('count once each', () => {
    assert.equal(judgeLostLogs([log('a', 100, 0), log('a', 100, 0), log('a', 100, 0)]), null);
  });
});

describe('the Claude folder of a machine', () => {
  const usual: RootState = {
    paired: true,
    exists: true,
    filesFound: 120,
    filesKnown: 120,
    marker: 'r1',
    expectedMarker: 'r1',
    alsoSeenOn: [],
  };
  const verdictOf = (parts: Partial<RootState>): string | undefined => judgeRoot({ ...usual, ...parts })?.code;

  it('is accepted when it is the one of before', () => {
    assert.equal(verdictOf({}), undefined);
  });

  it('stops the machine when it is missing, emptied, or another one', () => {
    assert.equal(verdictOf({ exists: false, marker: null, filesFound: null }), 'root-missing');
    assert.equal(verdictOf({ filesFound: 0 }), 'root-emptied');
    assert.equal(verdictOf({ marker: null }), 'marker-missing');
    assert.equal(verdictOf({ marker: 'r2' }), 'marker-foreign');
    assert.equal(verdictOf({ alsoSeenOn: ['mac'] }), 'marker-twice');
  });

  it('is not called empty while it could not be listed completely, or was empty before', () => {
    assert.equal(verdictOf({ filesFound: null }), undefined);
    assert.equal(verdictOf({ filesFound: 0, filesKnown: 0 }), undefined);
  });

  it('may be empty, missing or unmarked before the first pairing', () => {
    const fresh = { paired: false, filesKnown: 0, marker: null, expectedMarker: null };
    assert.equal(verdictOf({ ...fresh, filesFound: 0 }), undefined);
    assert.equal(verdictOf({ ...fresh, exists: false, filesFound: null }), undefined);
    assert.equal(verdictOf({ ...fresh, marker: 'of an earlier hub' }), undefined);
  });

  it('that is shared by two machines is refused even before the first pairing', () => {
    assert.equal(
      verdictOf({ paired: false, filesKnown: 0, expectedMarker: null, alsoSeenOn: ['rog'] }),
      'marker-twice',
    );
  });

  it('is named with the other machine, and the next step', () => {
    const reason = judgeRoot({ ...usual, alsoSeenOn: ['mac', 'rog'] })?.reason ?? '';
    assert.match(reason, /mac, rog/);
    assert.match(reason, /machines resume/);
  });
});
