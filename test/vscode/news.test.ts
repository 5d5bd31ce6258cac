import assert from 'node:assert/strict';
import { isOlder } from '../../src/extension/hub/versions.ts';
import { NewsWatch } from '../../src/extension/notices/news.ts';
import type { Conflict } from '../../src/protocol/conflicts.ts';
import { sampleStatus } from '../hub/rpc/fake-hub.ts';

const conflict = (id: number, more: Partial<Conflict> = {}): Conflict => ({
  id,
  key: `agents/a${id}.md`,
  at: id,
  status: 'open',
  sides: [],
  strategy: 'manual',
  winner: null,
  resolvedAt: null,
  resolution: null,
  ...more,
});

describe('what the user is told of', () => {
  const machine = (status: 'online' | 'quarantined') => {
    const [first] = sampleStatus().machines;
    assert.ok(first);
    return { ...first, status };
  };

  it('is each conflict that waits, once, also in another window', () => {
    const watch = new NewsWatch(0);
    assert.deepEqual(
      watch.look([conflict(2), conflict(1)], []).conflicts.map(({ id }) => id),
      [2, 1],
    );
    assert.deepEqual(watch.look([conflict(2), conflict(1)], []).conflicts, []);
    assert.deepEqual(
      new NewsWatch(watch.toldAt).look([conflict(3), conflict(2)], []).conflicts.map(({ id }) => id),
      [3],
    );
  });

  it('is no conflict that was decided by rule', () => {
    const watch = new NewsWatch(0);
    assert.deepEqual(
      watch.look([conflict(1, { winner: 'rog' }), conflict(2, { status: 'resolved' })], []).conflicts,
      [],
    );
  });

  it('is each machine that is stopped, again when it is stopped again', () => {
    const watch = new NewsWatch(0);
    const told = (['online', 'quarantined', 'quarantined', 'online', 'quarantined'] as const).map(
      (status) => watch.look([], [machine(status)]).quarantined.length,
    );
    assert.deepEqual(told, [0, 1, 0, 0, 1]);
  });
});

describe('a version', () => {
  it('is older by its first number that differs', () => {
    assert.ok(isOlder('0.9.9', '0.10.0'));
    assert.ok(isOlder('1.2.3', '1.2.4'));
    assert.ok(!isOlder('1.2.4', '1.2.4'));
    assert.ok(!isOlder('2.0.0', '1.9.9'));
  });

  it('that cannot be read is not older', () => {
    assert.ok(!isOlder('1.2.3-beta', '9.0.0'));
    assert.ok(!isOlder('', '1.0.0'));
  });
});
