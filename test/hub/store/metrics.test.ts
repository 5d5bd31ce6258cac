import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Alert } from '../../../src/core/alerts/alert.ts';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import { ALL_MACHINES, type MetricPoint } from '../../../src/core/metrics/point.ts';
import { NO_COUNTS } from '../../../src/core/metrics/roll-up.ts';
import { openStoreInline, openStoreOn, type InlineStore } from '../../../src/hub/store/open-store.ts';
import { somePoint } from '../../core/metrics/sample-point.ts';
import { ManualClock } from './manual-clock.ts';
import { inFolder } from './samples.ts';

describe('the table of figures', () => {
  let db: Database.Database;
  let store: InlineStore;

  beforeEach(() => {
    db = new Database(':memory:');
    store = openStoreOn(db, { clock: new ManualClock() });
  });

  const read = (machine = 'rog', from = -Infinity, to = Infinity, limit = 1_000): MetricPoint[] =>
    store.metrics.read('raw', { machine, from, to, limit });
  const times = (points: readonly MetricPoint[]): number[] => points.map(({ at }) => at);
  const put = (...at: number[]): void =>
    at.forEach((one) => store.metrics.put('raw', somePoint({ at: one, syncs: one })));

  it('gives back what was put, before and after it is in the database, and after opening again', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const point: MetricPoint = {
        ...{ machine: 'rog', at: 20, spanMs: 1, onlineMs: 2, syncs: 3, failed: 4, conflicts: 5, bytesSent: 6 },
        ...{ bytesReceived: 7, files: 8, bytes: 9, pending: 10, mostPending: 11, archiveBytes: 12, versionBytes: 13 },
        latency: Histogram.of([14, 140]),
      };
      const range = { machine: 'rog', from: 0, to: 100, limit: 10 };
      const first = openStoreInline({ path, clock: new ManualClock() });
      first.metrics.put('hour', point);
      assert.deepEqual(first.metrics.read('hour', range), [point]);
      await first.flush();
      assert.deepEqual(first.metrics.read('hour', range), [point]);
      await first.close();
      const again = openStoreInline({ path, clock: new ManualClock() });
      assert.deepEqual(again.metrics.read('hour', range), [point]);
      assert.deepEqual(again.metrics.read('minute', range), []);
      assert.deepEqual(again.metrics.read('hour', { ...range, machine: ALL_MACHINES }), []);
      await again.close();
    }));

  it('reads what is in the database and what is not yet as one, in order and up to a limit', async () => {
    put(40, 10, 30);
    await store.flush();
    put(20, 50);
    store.metrics.put('raw', somePoint({ at: 30, syncs: 99 }));
    assert.deepEqual(
      read().map(({ at, syncs }) => [at, syncs]),
      [
        [10, 10],
        [20, 20],
        [30, 99],
        [40, 40],
        [50, 50],
      ],
    );
    assert.deepEqual(times(read('rog', 20, 50)), [20, 30, 40]);
    assert.deepEqual(times(read('rog', 0, 100, 2)), [10, 20]);
    assert.deepEqual(times(read('rog', 11, 100, 2)), [20, 30]);
    assert.deepEqual(times(read('rog', 0, 100, 0)), []);
    await store.flush();
    assert.deepEqual(times(read()), [10, 20, 30, 40, 50]);
    assert.equal(read('rog', 30, 31)[0]?.syncs, 99);
  });

  it('knows the newest of any machine', async () => {
    assert.equal(store.metrics.newestAt('raw'), null);
    put(40);
    store.metrics.put('raw', somePoint({ machine: 'mac', at: 70 }));
    store.metrics.put('hour', somePoint({ machine: 'mac', at: 1_000 }));
    assert.equal(store.metrics.newestAt('raw'), 70);
    await store.flush();
    assert.equal(store.metrics.newestAt('raw'), 70);
    put(90);
    assert.equal(store.metrics.newestAt('raw'), 90);
    store.metrics.prune('raw', { before: 0, after: 69 });
    assert.equal(store.metrics.newestAt('raw'), 40);
    store.metrics.prune('raw', { before: 41, after: 69 });
    assert.equal(store.metrics.newestAt('raw'), null);
  });

  it('what is pruned is gone at once, comes back by no commit, and the place is free', async () => {
    put(10, 20, 30);
    store.metrics.put('minute', somePoint({ at: 10 }));
    store.metrics.put('raw', somePoint({ machine: 'mac', at: 10 }));
    await store.flush();
    put(12, 25, 28);
    store.metrics.prune('raw', { before: 15, after: 27 });
    assert.deepEqual(times(read()), [20, 25]);
    put(29, 11);
    assert.deepEqual(times(read()), [11, 20, 25, 29]);
    await store.flush();
    assert.deepEqual(times(read()), [11, 20, 25, 29]);
    assert.deepEqual(times(read('mac')), []);
    assert.equal(store.metrics.newestAt('minute'), 10);
    const rows = db.prepare('SELECT at FROM metrics WHERE resolution = 0 ORDER BY at').pluck().all();
    assert.deepEqual(rows, [11, 20, 25, 29]);
  });

  it('a point in a group that is being committed is pruned as well', async () => {
    put(10, 30);
    const flushed = store.flush();
    store.metrics.prune('raw', { before: 20, after: 100 });
    await flushed;
    assert.deepEqual(times(read()), [30]);
    await store.flush();
    assert.deepEqual(db.prepare('SELECT at FROM metrics').pluck().all(), [30]);
  });

  it('takes no number that the database would refuse', async () => {
    const odd = { at: 10.4, bytes: NaN, bytesSent: Infinity, onlineMs: 1.6 };
    store.metrics.put('raw', somePoint(odd));
    store.totals.add('rog', { bytesSent: 1.5, syncs: NaN });
    await store.flush();
    assert.deepEqual(
      read().map(({ at, bytes, onlineMs }) => [at, bytes, onlineMs]),
      [[10, 0, 2]],
    );
    assert.deepEqual(store.totals.of('rog'), { ...NO_COUNTS, bytesSent: 2 });
  });

  it('a latency that cannot be read is none', async () => {
    put(10);
    await store.flush();
    db.prepare("UPDATE metrics SET latency = 'x.y'").run();
    assert.deepEqual(read()[0]?.latency, Histogram.EMPTY);
  });

  it('a year of eight machines is less than 50 MB', async function () {
    this.timeout(60_000);
    const machines = [ALL_MACHINES, ...Array.from({ length: 8 }, (_, index) => `machine-${index}`)];
    const latency = Histogram.of([3, 9, 9, 14, 20, 35, 60, 120, 250, 900]);
    const busy = { syncs: 40, bytesSent: 123_456, bytesReceived: 234_567, bytes: 3e9, files: 20_000, latency };
    const kept = { raw: [8_640, 10_000], minute: [10_080, 60_000], hour: [8_784, 3_600_000] } as const;
    for (const machine of machines)
      for (const [resolution, [rows, step]] of Object.entries(kept)) {
        for (let index = 0; index < rows; index += 1) {
          const at = 1.7e12 + index * step;
          // A third of the time somebody works.
          const more = index % 3 === 0 ? busy : { bytes: 3e9, files: 20_000 };
          store.metrics.put(
            resolution as keyof typeof kept,
            somePoint({ machine, at, ...more, archiveBytes: 3e9, versionBytes: 1e9 }),
          );
        }
        await store.flush();
      }
    const size =
      (db.pragma('page_count', { simple: true }) as number) * (db.pragma('page_size', { simple: true }) as number);
    assert.ok(size < 50e6, `${size} bytes`);
  });
});

describe('the table of totals', () => {
  it('adds up for each machine and for all, over restarts', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'sync.db');
      const store = openStoreInline({ path, clock: new ManualClock() });
      assert.deepEqual(store.totals.of('rog'), NO_COUNTS);
      store.totals.add('rog', { syncs: 2, bytesSent: 10 });
      store.totals.add('rog', { syncs: 1, failed: 1 });
      store.totals.add('mac', { conflicts: 1, bytesReceived: 5 });
      const check = ({ totals }: InlineStore): void => {
        assert.deepEqual(totals.of('rog'), { ...NO_COUNTS, syncs: 3, failed: 1, bytesSent: 10 });
        assert.deepEqual(totals.all(), { syncs: 3, failed: 1, conflicts: 1, bytesSent: 10, bytesReceived: 5 });
      };
      check(store);
      await store.close();
      const again = openStoreInline({ path, clock: new ManualClock() });
      check(again);
      await again.close();
    }));

  it('takes over what was counted before it was, once', async () => {
    const db = new Database(':memory:');
    const open = (): InlineStore => openStoreOn(db, { clock: new ManualClock() });
    const before = open();
    before.setSetting('store.totals', '{"syncs":7,"failed":1,"bytesSent":20,"bytesReceived":30}');
    await before.flush();
    db.exec('DELETE FROM totals');
    const taken = { syncs: 7, failed: 1, conflicts: 0, bytesSent: 20, bytesReceived: 30 };
    for (let run = 0; run < 3; run += 1) {
      const store = open();
      assert.deepEqual(store.totals.of(ALL_MACHINES), taken);
      assert.deepEqual(store.totals.all(), { ...taken, syncs: 7 + run });
      store.totals.add('rog', { syncs: 1 });
      await store.flush();
    }
  });

  it('begins with nothing where that cannot be read', () => {
    for (const text of ['', 'x', '[]', 'null', '{"syncs":"many","failed":-1}']) {
      const db = new Database(':memory:');
      openStoreOn(db, { clock: new ManualClock() }).abandon();
      db.prepare("INSERT INTO settings VALUES ('store.totals', ?)").run(text);
      assert.deepEqual(openStoreOn(db, { clock: new ManualClock() }).totals.all(), NO_COUNTS, text);
    }
  });
});

describe('the table of alerts', () => {
  const alert: Alert = {
    ...{ id: 'offline/rog', severity: 'warning', message: 'm', unaffected: 'u', next: null, machine: 'rog', key: null },
    ...{ raisedAt: 5, clearedAt: null, dismissedAt: null },
  };

  it('keeps them over restarts, and leaves out what cannot be read', async () => {
    const db = new Database(':memory:');
    const store = openStoreOn(db, { clock: new ManualClock() });
    const cleared = { ...alert, id: 'loop', machine: null, key: 'session/x', next: 'n', clearedAt: 9, dismissedAt: 7 };
    for (const one of [alert, cleared, { ...alert, id: 'gone' }]) store.alerts.put(one);
    store.alerts.put({ ...alert, severity: 'error' });
    store.alerts.delete('gone');
    const expected = [{ ...alert, severity: 'error' }, cleared];
    assert.deepEqual([...store.alerts.values()], expected);
    await store.flush();
    const odd = db.prepare('INSERT INTO alerts VALUES (?, 1, NULL, ?)');
    odd.run('x', '{');
    odd.run('y', '{"id":"y","severity":"bad"}');
    odd.run('z', JSON.stringify(alert));
    const found = [...openStoreOn(db, { clock: new ManualClock() }).alerts.values()];
    assert.deepEqual(
      found.sort((a, b) => (a.id > b.id ? -1 : 1)),
      expected,
    );
  });
});
