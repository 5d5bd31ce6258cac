import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { openStore, openStoreOn } from '../../../src/hub/store/open-store.ts';
import type { VersionRow } from '../../../src/hub/store/store.ts';
import { ManualClock } from './manual-clock.ts';
import { inFolder, logLine, sha, version } from './samples.ts';

type Step =
  | { readonly do: 'add'; readonly key: string; readonly content: string; readonly at: number }
  | { readonly do: 'delete'; readonly key: string; readonly version: number }
  | { readonly do: 'deleteKey'; readonly key: string }
  | { readonly do: 'flush' };

const key = fc.constantFrom('a', 'b', '\u{1F600}', '\uFF5E');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('add'), key, content: fc.constantFrom('x', 'y', 'zz'), at: fc.nat(5) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete'), key, version: fc.integer({ min: 1, max: 4 }) }) },
  fc.record({ do: fc.constant('deleteKey'), key }),
  fc.record({ do: fc.constant('flush') }),
);

const place = (row: VersionRow): [number, string, number] => [
  row.at,
  Buffer.from(row.key).toString('hex'),
  row.version,
];
const byPlace = (a: VersionRow, b: VersionRow): number => (place(a) < place(b) ? -1 : 1);

describe('versions', () => {
  it('shows every write at once, whether it is committed or not', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { versions, flush } = open();
        let rows: VersionRow[] = [];
        const newest = (name: string): VersionRow | undefined =>
          rows.filter((row) => row.key === name).sort((a, b) => b.version - a.version)[0];
        for (const one of steps) {
          if (one.do === 'flush') await flush();
          else if (one.do === 'deleteKey') {
            versions.deleteKey(one.key);
            rows = rows.filter((row) => row.key !== one.key);
          } else if (one.do === 'delete') {
            versions.delete(one.key, one.version);
            rows = rows.filter((row) => row.key !== one.key || row.version !== one.version);
          } else {
            const added = versions.add(version(one.key, one.content, { at: one.at }));
            const last = newest(one.key);
            if (last?.sha256 !== sha(one.content)) rows.push(added);
            assert.equal(added.version, last?.sha256 === sha(one.content) ? last.version : (last?.version ?? 0) + 1);
          }
          for (const one of ['a', 'b']) {
            assert.deepEqual(
              versions.list(one),
              rows.filter((row) => row.key === one).sort((a, b) => b.version - a.version),
            );
            assert.deepEqual(
              versions.get(one, 2),
              rows.find((row) => row.key === one && row.version === 2),
            );
          }
          const contents = new Map(rows.map((row) => [row.sha256, row.bytes]));
          for (const content of ['x', 'y', 'zz'])
            assert.equal(versions.holds(sha(content)), contents.has(sha(content)));
          assert.equal(
            versions.totalBytes(),
            [...contents.values()].reduce((sum, bytes) => sum + bytes, 0),
          );
          assert.deepEqual([...versions.all()], rows.toSorted(byPlace));
        }
      }),
      { numRuns: 100 },
    ));

  it('lists all rows oldest first over many pages, while some are deleted on the way', async () => {
    const { versions, flush } = open();
    for (let n = 0; n < 1300; n++) versions.add(version(`k${n % 7}`, `content ${n}`, { at: 5000 - n }));
    await flush();
    for (let n = 1300; n < 1310; n++) versions.add(version('k1', `content ${n}`, { at: 5000 - n }));
    const seen: number[] = [];
    for (const row of versions.all()) {
      seen.push(row.at);
      versions.delete(row.key, row.version);
      if (seen.length % 100 === 0) await flush();
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 1310 }, (_, n) => 3691 + n),
    );
    assert.equal(versions.totalBytes(), 0);
  });

  it('shows versions and log lines that the writer thread has not committed yet', () =>
    inFolder(async (folder) => {
      const store = await openStore({ path: join(folder, 'sync.db'), clock: new ManualClock() });
      store.versions.add(version('a', 'one'));
      const committing = store.flush();
      assert.equal(store.versions.list('a').length, 1);
      store.versions.add(version('a', 'two'));
      store.syncLog.add(logLine({ bytes: 1 }));
      await committing;
      store.syncLog.add(logLine({ bytes: 2 }));
      assert.deepEqual(
        store.versions.list('a').map((row) => row.sha256),
        [sha('two'), sha('one')],
      );
      assert.deepEqual(
        store.syncLog.recent(10).map((line) => line.bytes),
        [2, 1],
      );
      await store.close();
    }));

  it('keeps the log readable beyond what is in memory', async () => {
    const { store, flush } = open();
    for (let n = 1; n <= 3000; n++) {
      store.syncLog.add(logLine({ at: n, bytes: n }));
      if (n % 700 === 0) await flush();
    }
    assert.deepEqual(
      store.syncLog.recent(2500).map((line) => line.bytes),
      Array.from({ length: 2500 }, (_, n) => 3000 - n),
    );
    store.syncLog.prune(2991);
    assert.equal(store.syncLog.recent(5000).length, 10);
    await flush();
    assert.equal(store.syncLog.recent(5000).length, 10);
  });
});

function open(): {
  store: ReturnType<typeof openStoreOn>;
  versions: ReturnType<typeof openStoreOn>['versions'];
  flush: () => Promise<void>;
} {
  const store = openStoreOn(new Database(':memory:'), { clock: new ManualClock() });
  return { store, versions: store.versions, flush: () => store.flush() };
}
