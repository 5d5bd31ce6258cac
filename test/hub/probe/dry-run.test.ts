import assert from 'node:assert/strict';
import type { Head, Key } from '../../../src/core/domain.ts';
import { dryRun, keysToCompare, type DryRunInput } from '../../../src/hub/probe/dry-run.ts';

const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;
const session = (digit: number): Key => `session/0000000${digit}-0000-4000-8000-000000000000`;

function head(key: Key, size: number, more: Partial<Head> = {}): Head {
  const hash = key.startsWith('session/') ? null : `hash of ${key}`;
  return { key, seq: 1, kind: 'file', size, hash, mtimeMs: NOW, executable: false, origin: 'xps', ...more };
}

function run(more: Partial<DryRunInput>): ReturnType<typeof dryRun> {
  return dryRun({
    there: new Map(),
    unplaced: { files: 0, bytes: 0 },
    heads: [],
    rule: (key) => ({ allowed: key !== 'secret', merge: key.startsWith('session/') ? 'log' : 'text' }),
    compared: new Map(),
    others: ['xps', 'mac'],
    cleanUpDays: 30,
    now: NOW,
    ...more,
  });
}

const copies = (files: Readonly<Record<Key, number>>, mtimeMs = NOW) =>
  new Map(Object.entries(files).map(([key, size]) => [key, { size, mtimeMs }]));

describe('the dry run of a first sync', () => {
  it('brings what only one side has to the other, to each other machine the same', () => {
    const result = run({
      there: copies({ [session(1)]: 10, 'agents/a.md': 5 }),
      heads: [head(session(2), 100), head('agents/b.md', 7)],
    });
    assert.deepEqual(result.toMachine, { files: 2, bytes: 107 });
    assert.deepEqual(result.fromMachine, [
      { machine: 'xps', files: 2, bytes: 15 },
      { machine: 'mac', files: 2, bytes: 15 },
    ]);
    assert.equal(result.conflicts.total, 0);
  });

  it('of a conversation that is longer on one side only the difference travels, and it is no conflict', () => {
    const result = run({
      there: copies({ [session(1)]: 130, [session(2)]: 60, [session(3)]: 50 }),
      heads: [head(session(1), 100), head(session(2), 100), head(session(3), 50)],
    });
    assert.deepEqual(result.fromMachine[0], { machine: 'xps', files: 1, bytes: 30 });
    assert.deepEqual(result.toMachine, { files: 1, bytes: 40 });
    assert.equal(result.conflicts.total, 0);
  });

  it('a file of one name is a conflict when its contents differ, and said to be not compared when nobody looked', () => {
    const files = { 'agents/longer.md': 9, 'agents/same.md': 5, 'agents/other.md': 5, 'agents/large.md': 5 };
    const result = run({
      there: copies(files),
      heads: Object.keys(files).map((key) => head(key, 5)),
      compared: new Map([
        ['agents/same.md', true],
        ['agents/other.md', false],
      ]),
    });
    assert.deepEqual(result.conflicts, { total: 2, examples: ['agents/longer.md', 'agents/other.md'] });
    assert.equal(result.notCompared, 1);
    assert.deepEqual([result.toMachine.files, result.fromMachine[0]?.files], [0, 0]);
  });

  it('only documents of equal length have to be compared', () => {
    const keys = keysToCompare({
      there: copies({ 'agents/a.md': 5, 'agents/b.md': 6, [session(1)]: 5, secret: 5 }),
      heads: [head('agents/a.md', 5), head('agents/b.md', 5), head(session(1), 5), head('secret', 5)],
      rule: (key) => ({ allowed: key !== 'secret', merge: key.startsWith('session/') ? 'log' : 'text' }),
    });
    assert.deepEqual(
      keys.map(({ key }) => key),
      ['agents/a.md'],
    );
  });

  it('what is deleted everywhere, and what is not synced, is not brought there', () => {
    const result = run({ heads: [head('agents/a.md', 0, { kind: 'tombstone', hash: null }), head('secret', 5)] });
    assert.deepEqual(result.toMachine, { files: 0, bytes: 0 });
  });

  it('conversations that Claude Code would sweep there are counted once, by their last activity on either side', () => {
    const old = NOW - 31 * DAY_MS;
    const result = run({
      there: new Map([
        [session(1), { size: 5, mtimeMs: old }],
        [session(2), { size: 5, mtimeMs: old }],
        [session(3), { size: 5, mtimeMs: NOW - 29 * DAY_MS }],
        ['agents/a.md', { size: 5, mtimeMs: old }],
      ]),
      heads: [head(session(1), 5, { mtimeMs: old }), head(session(2), 5), head(session(4), 5, { mtimeMs: old })],
    });
    assert.equal(result.sweptThere, 2);
  });
});
