import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Database from 'better-sqlite3';
import { openStore, openStoreInline, openStoreOn } from '../../../src/hub/store/open-store.ts';
import { GROUP_COMMIT_MS } from '../../../src/hub/store/store.ts';
import type { Store } from '../../../src/hub/store/store.ts';
import { ManualClock } from './manual-clock.ts';
import { dump, head, inFolder, logLine, pair, sha, version } from './samples.ts';

/** Writes at least one row of every table, and removes one where that is possible. */
function writeEverything(store: Store): void {
  store.heads.put(head('agents/a.md', 1, { executable: true }));
  store.heads.put(head('session/x', 2, { hash: null, origin: 'mac' }));
  store.heads.put(head('agents/gone.md', 3, { kind: 'tombstone', hash: null, size: 0 }));
  store.heads.put(head('agents/dropped.md', 4));
  store.heads.putSegments('session/x', { bytes: 5_000_000, hashes: [sha('1'), sha('2')] });
  store.heads.putSegments('agents/dropped.md', { bytes: 1, hashes: [sha('3')] });
  store.heads.delete('agents/dropped.md');
  store.pairs.put(pair('rog', 'x'));
  store.pairs.put(pair('mac', 'x', { base: null, evictedSeq: 2, state: 'held', reason: 'no such project there' }));
  store.pairs.put(pair('rog', 'dropped'));
  store.pairs.delete('rog', 'dropped');
  store.versions.add(version('agents/a.md', 'one'));
  store.versions.add(version('agents/a.md', 'two', { executable: true, reason: 'lost-conflict' }));
  const side = { machine: 'mac', sha256: null, bytes: 0, mtimeMs: 3.5 };
  const conflict = store.conflicts.add({
    ...{
      key: 'agents/a.md',
      at: 9,
      status: 'open',
      baseSha256: sha('b'),
      sides: [side],
      strategy: 'manual',
      winner: null,
    },
    ...{ resolvedAt: null, resolution: null },
  });
  store.conflicts.add({ ...conflict, key: 'agents/b.md' });
  store.conflicts.update({ ...conflict, status: 'resolved', winner: 'mac', resolvedAt: 10, resolution: 'keep mac' });
  store.syncLog.add(logLine());
  store.syncLog.add(logLine({ action: 'commit', target: null, bytes: 11 }));
  store.syncLog.add(logLine({ outcome: 'failed', detail: 'disk full' }));
  store.syncLog.add(logLine({ action: 'scan' }));
  store.totals.add('rog', { syncs: 2, bytesReceived: 11 });
  store.totals.add('mac', { syncs: 1, failed: 1, bytesSent: 7 });
  store.machines.put({
    ...{ name: 'rog', replicaId: 'r1', claudeDir: '/h/.claude', home: '/h', os: 'linux', status: 'quarantined' },
    ...{
      reason: 'emptied',
      lastSeenAt: 5,
      lastSyncAt: null,
      paused: true,
      quarantine: 'emptied',
      paired: true,
      connectionEpoch: 7,
    },
  });
  const intent = store.intents.add({ machine: 'rog', path: 'a', temp: 't', undo: 'u', at: 1 });
  store.intents.add({ ...intent, path: 'b' });
  store.intents.delete(intent.id);
  store.undo.put({ machine: 'rog', name: 'n', path: 'a', size: 3, at: 2 });
  store.projects.put({ id: 'moderator', remotes: ['github.com/x/moderator'], places: { rog: ['/srv/moderator'] } });
  const approval = store.approvals.add({
    ...{ key: 'hooks/h', machine: 'mac', at: 3, sha256: sha('h'), bytes: 4, executable: true, status: 'waiting' },
  });
  store.approvals.update({ ...approval, status: 'accepted' });
  store.setSetting('lastCleanShutdown', '12');
}

/** The garbage collector as a function. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('store', () => {
  for (const driver of ['inline', 'thread'] as const) {
    it(`is the same after closing and opening again (${driver})`, () =>
      inFolder(async (folder) => {
        const path = join(folder, 'state', 'sync.db');
        const store = await openStore({ path, clock: new ManualClock(), driver });
        writeEverything(store);
        const before = dump(store, ['rog', 'mac']);
        await store.close();

        const again = await openStore({ path, clock: new ManualClock(), driver });
        assert.deepEqual(dump(again, ['rog', 'mac']), before);
        assert.equal(again.getSetting('lastCleanShutdown'), '12');
        assert.equal(again.conflicts.openCount(), 1);
        assert.deepEqual(again.totals.all(), { syncs: 3, failed: 1, conflicts: 0, bytesSent: 7, bytesReceived: 11 });
        assert.deepEqual(again.totals.of('mac'), { syncs: 1, failed: 1, conflicts: 0, bytesSent: 7, bytesReceived: 0 });
        assert.deepEqual(again.heads.segments('session/x'), { bytes: 5_000_000, hashes: [sha('1'), sha('2')] });
        assert.deepEqual(again.heads.segments('agents/dropped.md'), null);
        await again.close();
        assert.equal(statSync(path).mode & 0o777, 0o600);
        assert.equal(statSync(join(folder, 'state')).mode & 0o777, 0o700);
      }));
  }

  it('loses exactly the uncommitted writes in a crash', async () => {
    const db = new Database(':memory:');
    const clock = new ManualClock();
    const store = openStoreOn(db, { clock });
    writeEverything(store);
    await store.flush();
    const committed = dump(store, ['rog', 'mac']);
    store.heads.put(head('agents/late.md', 9));
    store.pairs.deleteMachine('rog');
    store.versions.add(version('agents/a.md', 'three'));
    store.syncLog.add(logLine());
    assert.notDeepEqual(dump(store, ['rog', 'mac']), committed);
    store.abandon();
    clock.advance(60_000);

    const again = openStoreOn(db, { clock });
    assert.deepEqual(dump(again, ['rog', 'mac']), committed);
  });

  it('never lets a store that was left behind write, even when its timer still fires', async () => {
    const db = new Database(':memory:');
    const clock = new ManualClock();
    const left = openStoreOn(db, { clock });
    left.heads.put(head('agents/a.md', 1));
    const again = openStoreOn(db, { clock });
    clock.advance(GROUP_COMMIT_MS);
    await assert.rejects(left.flush(), /another hub/);
    assert.equal(openStoreOn(db, { clock }).heads.count, 0);
    assert.equal(again.heads.count, 0);
  });

  it('commits by itself within the group time, as one group', () => {
    const db = new Database(':memory:');
    const clock = new ManualClock();
    const store = openStoreOn(db, { clock });
    const stored = db.prepare('SELECT count(*) FROM heads').pluck();
    store.heads.put(head('agents/a.md', 1));
    clock.advance(GROUP_COMMIT_MS - 1);
    store.heads.put(head('agents/b.md', 2));
    assert.equal(stored.get(), 0);
    clock.advance(1);
    assert.equal(stored.get(), 2);
    assert.equal(clock.armed, 0, 'an idle store has no timer');
  });

  it('commits what is written in one step together, however much it is', async () => {
    const db = new Database(':memory:');
    const store = openStoreOn(db, { clock: new ManualClock() });
    const stored = db.prepare('SELECT count(*) FROM heads').pluck();
    for (let seq = 1; seq <= 5000; seq++) store.heads.put(head(`agents/${seq}.md`, seq));
    assert.equal(stored.get(), 0);
    await Promise.resolve();
    assert.equal(stored.get(), 5000);
  });

  it('commits a removed machine and a re-put pair in the order of the calls', async () => {
    const db = new Database(':memory:');
    const store = openStoreOn(db, { clock: new ManualClock() });
    store.pairs.put(pair('rog', 'a'));
    store.pairs.put(pair('rog', 'b'));
    store.pairs.deleteMachine('rog');
    store.pairs.put(pair('rog', 'b', { evictedSeq: 3 }));
    await store.flush();
    assert.deepEqual(db.prepare('SELECT key, evicted_seq FROM files').all(), [{ key: 'b', evicted_seq: 3 }]);
  });

  it('finds pairs by path, also after a move and when two claim one path', () => {
    const store = openStoreInline({ path: ':memory:', clock: new ManualClock() });
    store.pairs.put(pair('rog', 'a', { path: 'p' }));
    store.pairs.put(pair('rog', 'a', { path: 'q' }));
    assert.equal(store.pairs.atPath('rog', 'p'), undefined);
    assert.equal(store.pairs.atPath('rog', 'q')?.key, 'a');
    store.pairs.put(pair('rog', 'b', { path: 'q' }));
    store.pairs.put(pair('rog', 'a', { path: 'r' }));
    assert.equal(store.pairs.atPath('rog', 'q')?.key, 'b');
    store.pairs.delete('rog', 'b');
    assert.equal(store.pairs.atPath('rog', 'q'), undefined);
    assert.deepEqual(
      store.pairs.ofKey('a').map(({ path }) => path),
      ['r'],
    );
  });

  it('finds the keys below a prefix, and no others', () => {
    const store = openStoreInline({ path: ':memory:', clock: new ManualClock() });
    const keys = [
      'session/b/x',
      'session/a',
      'session/b',
      'session/b/y',
      'session/bb',
      'agents/a.md',
      'session/b\u{1F600}',
    ];
    keys.forEach((key, index) => store.heads.put(head(key, index + 1)));
    store.heads.delete('session/b/y');
    assert.deepEqual(store.heads.withPrefix('session/b/'), ['session/b/x']);
    assert.deepEqual(store.heads.withPrefix('session/b'), [
      'session/b',
      'session/b/x',
      'session/bb',
      'session/b\u{1F600}',
    ]);
    assert.deepEqual(store.heads.withPrefix('zzz'), []);
    assert.equal(store.heads.withPrefix('').length, store.heads.count);
  });

  it('holds 10,000 keys on 3 machines in less than 40 MB', () => {
    const gc = collector();
    const db = new Database(':memory:');
    const first = openStoreOn(db, { clock: new ManualClock() });
    for (let n = 0; n < 10_000; n++) {
      const key = `session/0a1b2c3d-1111-2222-3333-${String(n).padStart(12, '0')}`;
      first.heads.put(head(key, n + 1));
      for (const machine of ['rog', 'mac', 'xps']) {
        first.pairs.put(
          pair(machine, key, { path: `projects/-home-thh3-code-project-${machine}/${key.slice(8)}.jsonl` }),
        );
      }
    }
    return first.close().then(() => {
      gc();
      const before = process.memoryUsage().heapUsed;
      const store = openStoreOn(db, { clock: new ManualClock() });
      gc();
      const used = process.memoryUsage().heapUsed - before;
      assert.equal(store.heads.count, 10_000);
      // The first store is still there on both sides of the difference.
      assert.equal(first.heads.count, 10_000);
      assert.ok(used < 40e6, `${Math.round(used / 1e6)} MB`);
    });
  });
});
