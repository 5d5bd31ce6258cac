import assert from 'node:assert/strict';
import { addChanges, changesOf } from '../../../src/core/pulls/changes.ts';
import { mergeRefresh, type KnownPull, type Refreshed } from '../../../src/core/pulls/merge-refresh.ts';
import type { PullFacts } from '../../../src/core/pulls/pull.ts';
import { somePull } from './sample.ts';

const known = (facts: PullFacts, more: Partial<KnownPull> = {}): KnownPull => ({
  facts,
  changes: [],
  stale: false,
  isFound: false,
  ...more,
});
const brought = (pulls: readonly PullFacts[], more: Partial<Refreshed> = {}): Refreshed => ({
  pulls,
  whole: new Set(pulls.map(({ repository }) => repository.toLowerCase())),
  listed: new Set(pulls.map(({ repository }) => repository.toLowerCase())),
  hasGaps: false,
  searched: { asked: true, all: true },
  newsSince: 0,
  ...more,
});

describe('what changed about a pull request', () => {
  const mine = somePull({ isMine: true });
  it('is that it is new, or asks for a review', () => {
    assert.deepEqual(changesOf(null, somePull()), ['new']);
    assert.deepEqual(changesOf(null, somePull({ isMyTurn: true })), ['new', 'review-requested']);
    assert.deepEqual(changesOf(somePull(), somePull({ isMyTurn: true })), ['review-requested']);
    assert.deepEqual(changesOf(somePull({ isMyTurn: true }), somePull({ isMyTurn: true })), []);
  });
  it('is how mine stands', () => {
    assert.deepEqual(changesOf(mine, { ...mine, reviewDecision: 'approved' }), ['approved']);
    assert.deepEqual(changesOf(mine, { ...mine, reviewDecision: 'changes-requested' }), ['changes-requested']);
    const failed = { ...mine, checks: { state: 'failed', failing: ['x'] } } as const;
    assert.deepEqual(changesOf(mine, failed), ['checks-failed']);
    assert.deepEqual(changesOf(failed, failed), []);
    assert.deepEqual(changesOf(failed, { ...mine, checks: { state: 'passed', failing: [] } }), ['checks-passed']);
    assert.deepEqual(changesOf(mine, { ...mine, checks: { state: 'passed', failing: [] } }), []);
  });
  it("of somebody else's is only that it changed", () => {
    const now = somePull({ reviewDecision: 'approved', checks: { state: 'failed', failing: [] }, updatedAt: 3_000 });
    assert.deepEqual(changesOf(somePull(), now), ['updated']);
  });
  it('adds up until somebody looks, without what was taken back', () => {
    assert.deepEqual(addChanges(['updated'], ['approved']), ['approved']);
    assert.deepEqual(addChanges(['approved'], ['changes-requested']), ['changes-requested']);
    assert.deepEqual(addChanges(['checks-failed'], ['checks-passed']), ['checks-passed']);
    assert.deepEqual(addChanges(['new'], ['updated']), ['new']);
    assert.deepEqual(addChanges([], ['updated']), ['updated']);
  });
});

describe('pull requests after a refresh', () => {
  const [a, b] = [somePull({ id: 'a', number: 1 }), somePull({ id: 'b', number: 2, repository: 'Other/Lib' })];

  it('have no news when nothing was known before', () => {
    const { rows, events } = mergeRefresh([], brought([somePull({ isMyTurn: true })], { newsSince: null }));
    assert.deepEqual(
      rows.map(({ changes }) => changes),
      [[]],
    );
    assert.deepEqual(events, []);
  });

  it('tell what is worth telling, once, and keep the marks until somebody looks', () => {
    const asked = { ...a, isMyTurn: true };
    const first = mergeRefresh([known(a)], brought([asked, b]));
    assert.deepEqual(
      first.events.map(({ kind, pull }) => [kind, pull.id]),
      [['review-requested', 'a']],
    );
    assert.deepEqual(
      first.rows.map(({ changes }) => changes),
      [['review-requested'], ['new']],
    );
    const second = mergeRefresh(first.rows, brought([asked, b]));
    assert.deepEqual(second.events, []);
    assert.deepEqual(second.rows, first.rows);
  });

  it('are without those that GitHub did not name any more', () => {
    assert.deepEqual(mergeRefresh([known(a), known(b)], brought([b])).rows, [known(b)]);
  });

  it('keep what could not be asked about, marked as stale, and lose the mark when it is told again', () => {
    const gaps = brought([], { hasGaps: true, whole: new Set(['acme/app']) });
    const { rows } = mergeRefresh([known(a), known(b, { changes: ['approved'] })], gaps);
    assert.deepEqual(rows, [known(b, { stale: true, changes: ['approved'] })]);
    assert.deepEqual(mergeRefresh(rows, brought([b])).rows, [known(b, { changes: ['approved'] })]);
  });

  it('that only a search finds go when all searches were answered, whatever else was refused', () => {
    const row = known(b, { isFound: true });
    const gaps = (all: boolean): Refreshed => brought([], { hasGaps: true, searched: { asked: all, all } });
    assert.deepEqual(mergeRefresh([row], gaps(true)).rows, []);
    assert.deepEqual(mergeRefresh([row], gaps(false)).rows, [{ ...row, stale: true }]);
    assert.deepEqual(mergeRefresh([], brought([b], { listed: new Set() })).rows[0]?.isFound, true);
  });

  it('are asked of me still when the search for that was not answered, and it is no news when it is again', () => {
    const asked = known({ ...a, isMyTurn: true, queries: ['Review'] });
    const without = mergeRefresh([asked], brought([a], { hasGaps: true, searched: { asked: false, all: false } }));
    assert.deepEqual(without.rows, [asked]);
    assert.deepEqual(mergeRefresh(without.rows, brought([asked.facts])).events, []);
  });

  it('are no news because more can be seen now', () => {
    const old = { ...b, isMyTurn: true, updatedAt: 100 };
    const { rows, events } = mergeRefresh([], brought([old], { newsSince: 200 }));
    assert.deepEqual([rows[0]?.changes, events], [[], []]);
    assert.equal(mergeRefresh([], brought([old], { newsSince: 50 })).events.length, 1);
  });
});
