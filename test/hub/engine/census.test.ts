import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Base, Head, Pair } from '../../../src/core/domain.ts';
import { createRules } from '../../../src/core/rules/classify.ts';
import { Census } from '../../../src/hub/engine/census.ts';
import { openStoreInline } from '../../../src/hub/store/open-store.ts';

const KEYS = ['agents/a.md', 'agents/b.md', 'plans/c.md', '.credentials.json'];
const rules = createRules({ include: [], exclude: [] });

const aKey = fc.constantFrom(...KEYS);
const change = fc.oneof(
  fc.record({ do: fc.constant('head' as const), key: aKey, seq: fc.integer({ min: 1, max: 3 }), gone: fc.boolean() }),
  fc.record({
    do: fc.constant('pair' as const),
    key: aKey,
    machine: fc.constantFrom('a', 'b'),
    seq: fc.integer({ min: 0, max: 3 }),
    state: fc.constantFrom('ok' as const, 'failed' as const, 'held' as const),
    bytes: fc.integer({ min: 0, max: 9 }),
  }),
  fc.record({ do: fc.constant('drop-head' as const), key: aKey }),
  fc.record({ do: fc.constant('drop-pair' as const), key: aKey, machine: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('drop-machine' as const), machine: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('look' as const), machine: fc.constantFrom('a', 'b') }),
);

describe('census', () => {
  it('always tells what counting everything anew would tell', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.subarray(KEYS), (changes, held) => {
        const store = openStoreInline({ path: ':memory:', clock: { now: () => 0, after: () => () => undefined } });
        const census = new Census(store, rules);
        for (const step of changes) {
          if (step.do === 'head') store.heads.put(head(step.key, step.seq, step.gone));
          else if (step.do === 'pair') store.pairs.put(pair(step));
          else if (step.do === 'drop-head') store.heads.delete(step.key);
          else if (step.do === 'drop-pair') store.pairs.delete(step.machine, step.key);
          else if (step.do === 'drop-machine') store.pairs.deleteMachine(step.machine);
          else census.of(step.machine, held);
        }
        // The fresh one takes the listener's place, so it has to be the last to be made.
        const told = ['a', 'b'].map((machine) => census.of(machine, held));
        const fresh = new Census(store, rules);
        assert.deepEqual(
          told,
          ['a', 'b'].map((machine) => fresh.of(machine, held)),
        );
        store.abandon();
      }),
    );
  });

  it('counts what is behind, what is level, and what is held without a copy', () => {
    const store = openStoreInline({ path: ':memory:', clock: { now: () => 0, after: () => () => undefined } });
    const census = new Census(store, rules);
    store.heads.put(head('agents/a.md', 2, false));
    store.heads.put(head('agents/b.md', 1, false));
    store.heads.put(head('plans/c.md', 1, false));
    store.pairs.put(pair({ key: 'agents/a.md', machine: 'a', seq: 1, state: 'ok', bytes: 5 }));
    store.pairs.put(pair({ key: 'agents/b.md', machine: 'a', seq: 1, state: 'ok', bytes: 7 }));
    const { counts, files, bytes } = census.of('a', ['plans/c.md']);
    assert.deepEqual([counts.behind, counts.level, counts.held, files, bytes], [1, 1, 1, 2, 12]);
    store.pairs.put(pair({ key: 'agents/a.md', machine: 'a', seq: 2, state: 'ok', bytes: 6 }));
    assert.deepEqual(
      [census.of('a', []).counts.behind, census.of('a', []).counts.level, census.of('a', []).bytes],
      [1, 2, 13],
    );
    store.abandon();
  });
});

function head(key: string, seq: number, gone: boolean): Head {
  return {
    key,
    seq,
    kind: gone ? 'tombstone' : 'file',
    size: 1,
    hash: 'h',
    mtimeMs: 0,
    executable: false,
    origin: 'a',
  };
}

function pair(of: { key: string; machine: string; seq: number; state: Pair['state']; bytes: number }): Pair {
  const { key, machine, seq, state, bytes } = of;
  const base: Base = {
    seq,
    kind: 'file',
    hash: 'h',
    fileBytes: bytes,
    mtimeMs: 0,
    inode: '',
    executable: false,
    cursor: null,
  };
  return { machine, key, path: key, base: seq === 0 ? null : base, evictedSeq: null, state, reason: null };
}
