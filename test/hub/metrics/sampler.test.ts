import assert from 'node:assert/strict';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ALL_MACHINES } from '../../../src/core/metrics/point.ts';
import { openStoreInline, openStoreOn } from '../../../src/hub/store/open-store.ts';
import { inFolder } from '../store/samples.ts';
import { dice, HOUR, HubOfFigures, NO_SUMS, rowsOf, withoutIdle, type Sums } from './hub-of-figures.ts';
import { START, WallClock } from './wall-clock.ts';

const DAY = 24 * HOUR;
const MINUTE = 60_000;

/** Totals as the test counted them. */
function totalOf(counted: ReadonlyMap<string, Sums>, machine: string): object {
  const all = [...counted].filter(([name]) => name.startsWith(machine)).map(([, sums]) => sums);
  const sum = (of: (sums: Sums) => number): number => all.reduce((total, sums) => total + of(sums), 0);
  return {
    syncs: sum(({ syncs }) => syncs),
    failed: sum(({ failed }) => failed),
    conflicts: sum(({ conflicts }) => conflicts),
    bytesSent: sum(({ sent }) => sent),
    bytesReceived: sum(({ received }) => received),
  };
}

describe('figures over time', () => {
  it('a year of them: each hour is what was counted beside it, and as much is kept as the rules say', async function () {
    this.timeout(120_000);
    const db = new Database(':memory:');
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(db, { clock }), clock, { rawStepMs: 20 * MINUTE });
    await hub.live(365 * DAY, dice(1), 40 * MINUTE);
    assert.ok(hub.counted.size > 10_000, 'much happened');
    assert.deepEqual(hub.hours(), withoutIdle(hub.counted));
    for (const machine of ['rog', 'mac']) assert.deepEqual(hub.store.totals.of(machine), totalOf(hub.counted, machine));
    assert.deepEqual(hub.store.totals.all(), totalOf(hub.counted, ''));

    const now = START + 365 * DAY;
    const last = now - 20 * MINUTE;
    const expected = ['all', 'mac', 'rog'].flatMap((name) => [
      [`raw ${name}`, { rows: 24 * 3, first: now - DAY, last }],
      [`minute ${name}`, { rows: 7 * 24 * 3, first: now - 7 * DAY, last }],
      [`hour ${name}`, { rows: 365 * 24, first: START, last: now - HOUR }],
    ]);
    assert.deepEqual(rowsOf(db), Object.fromEntries(expected));
    await hub.live(3 * DAY, dice(2), 40 * MINUTE);
    assert.deepEqual(rowsOf(db)['hour rog'], { rows: 366 * 24, first: START + 2 * DAY, last: now + 3 * DAY - HOUR });

    const all = hub.points('hour', ALL_MACHINES, START + 100 * DAY, START + 200 * DAY);
    assert.equal(all.length, 100 * 24);
    for (const point of all) {
      const of = (machine: string): Sums => hub.counted.get(`${machine} ${point.at}`) ?? NO_SUMS;
      assert.equal(point.syncs, of('rog').syncs + of('mac').syncs);
      assert.equal(point.latency.count, of('rog').latencies + of('mac').latencies);
      assert.equal(point.spanMs, HOUR);
      // Each of the three points is rounded.
      assert.ok(Math.abs(point.onlineMs - (of('rog').onlineMs + of('mac').onlineMs) / 2) <= 3);
      assert.deepEqual([point.files, point.bytes, point.archiveBytes, point.versionBytes], [6, 60, 100, 7]);
    }
  });

  it('some days of them in steps of 10 s: raw points, minutes and hours say the same', async function () {
    this.timeout(60_000);
    const db = new Database(':memory:');
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(db, { clock }), clock);
    await hub.live(3 * DAY, dice(3), 20_000);
    const expected = withoutIdle(hub.counted);
    assert.deepEqual(hub.hours('hour'), expected);
    assert.deepEqual(hub.hours('minute'), expected);
    const lastDay = [...expected].filter(([name]) => Number(name.split(' ')[1]) >= START + 2 * DAY);
    assert.deepEqual(hub.hours('raw'), new Map(lastDay));
    const rows = rowsOf(db);
    assert.deepEqual(
      ['raw', 'minute', 'hour'].map((name) => rows[`${name} mac`]?.rows),
      [8_640, 3 * 1_440, 72],
    );
    assert.equal(rows['raw all']?.last, START + 3 * DAY - 10_000);
  });

  it('are written once a minute, and read before that from the sampler', async () => {
    const db = new Database(':memory:');
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(db, { clock }), clock);
    hub.advance(5_000);
    hub.note({ kind: 'taken', machine: 'rog', key: 'k' });
    hub.advance(50_000);
    await hub.store.flush();
    assert.deepEqual(rowsOf(db), {});
    assert.deepEqual(
      hub.sampler.unwritten('rog').map(({ at, syncs }) => [at - START, syncs]),
      [[0, 1], ...[10_000, 20_000, 30_000, 40_000].map((at) => [at, 0])],
    );
    hub.advance(5_000);
    await hub.store.flush();
    assert.deepEqual(rowsOf(db)['raw rog'], { rows: 6, first: START, last: START + 50_000 });
    assert.deepEqual(rowsOf(db)['minute rog'], { rows: 1, first: START, last: START });
    assert.deepEqual(hub.sampler.unwritten('rog'), []);
    // Of an idle minute: six raw points and a minute of each.
    const before = db.prepare('SELECT total_changes()').pluck().get() as number;
    hub.advance(MINUTE);
    await hub.store.flush();
    assert.equal((db.prepare('SELECT total_changes()').pluck().get() as number) - before, 3 * 7);
  });

  it('begin in the middle of a span and of an hour, aligned to the clock', async () => {
    const clock = new WallClock(START + 34 * MINUTE + 3_000);
    const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    hub.advance(27 * MINUTE);
    const raw = hub.points('raw', 'rog');
    assert.deepEqual([raw[0]?.at, raw[0]?.spanMs, raw[1]?.spanMs], [START + 34 * MINUTE, 7_000, 10_000]);
    assert.deepEqual(
      hub.points('hour', 'rog').map(({ at, spanMs }) => [at, spanMs]),
      [[START, 26 * MINUTE - 3_000]],
    );
  });

  it('keep the most that was waiting, and how it was at the end', async () => {
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    hub.gauges = { files: 3, pending: 40 };
    hub.advance(20_000);
    hub.gauges = { files: 8, pending: 2 };
    hub.advance(40_000);
    const [minute] = hub.points('minute', 'rog');
    assert.deepEqual([minute?.files, minute?.pending, minute?.mostPending], [8, 2, 40]);
    assert.deepEqual(
      hub.points('minute', ALL_MACHINES).map(({ mostPending }) => mostPending),
      [80],
    );
  });

  it('time online is exact between two samples', async () => {
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    const set = (status: 'online' | 'offline' | 'degraded'): void =>
      hub.note({ kind: 'connection', machine: 'rog', status, reason: null });
    set('online');
    hub.advance(2_500);
    set('offline');
    hub.advance(1_000);
    set('degraded');
    hub.advance(2_000);
    set('online');
    hub.advance(54_500);
    assert.deepEqual(
      hub.points('raw', 'rog').map(({ onlineMs }) => onlineMs),
      [7_000, ...Array(5).fill(10_000)],
    );
    assert.equal(hub.points('minute', ALL_MACHINES)[0]?.onlineMs, 57_000 / 2);
  });

  describe('over restarts', () => {
    it('nothing is lost when the hub is stopped, not even in the same span', () =>
      inFolder(async (folder) => {
        const path = join(folder, 'sync.db');
        const clock = new WallClock();
        const counted = new Map<string, Sums>();
        const random = dice(4);
        for (let run = 0; run < 12; run += 1) {
          const hub = new HubOfFigures(openStoreInline({ path, clock }), clock, { counted });
          await hub.live(Math.floor(random() * 40 * MINUTE) + 1, random, 5_000);
          hub.sampler.stop();
          await hub.store.close();
          clock.advance(run % 2 === 0 ? 1 : Math.floor(random() * HOUR));
        }
        const hub = new HubOfFigures(openStoreInline({ path, clock }), clock, { counted });
        clock.advanceTo(Math.ceil(clock.now() / HOUR) * HOUR);
        const withoutOnline = (hours: Map<string, Sums>): [string, Sums][] =>
          [...hours].map(([name, sums]) => [name, { ...sums, onlineMs: 0 }]);
        assert.deepEqual(
          new Map(withoutOnline(hub.hours('hour'))),
          new Map(withoutOnline(withoutIdle(new Map(withoutOnline(counted))))),
        );
        assert.deepEqual(hub.store.totals.all(), totalOf(counted, ''));
        await hub.store.close();
      }));

    it('a crash loses the minute that was running and no more, and the next start puts together what is there', () =>
      inFolder(async (folder) => {
        const path = join(folder, 'sync.db');
        const clock = new WallClock();
        const hub = new HubOfFigures(openStoreInline({ path, clock }), clock);
        await hub.live(HOUR - 2 * MINUTE, dice(5), 3_000);
        const known = structuredClone(hub.counted);
        hub.advance(30_000);
        hub.note({ kind: 'taken', machine: 'rog', key: 'k' });
        await hub.store.flush();
        hub.store.abandon();

        clock.advance(HOUR);
        const again = new HubOfFigures(openStoreInline({ path, clock }), clock);
        assert.deepEqual(again.hours('hour'), withoutIdle(known));
        assert.equal(again.points('hour', 'rog')[0]?.spanMs, HOUR - 2 * MINUTE);
        // The totals are written as things happen.
        assert.deepEqual(again.store.totals.of('rog'), totalOf(hub.counted, 'rog'));
        await again.store.close();
      }));

    it('raw points that were never rolled up are, also of several days', async () => {
      const db = new Database(':memory:');
      const clock = new WallClock();
      const hub = new HubOfFigures(openStoreOn(db, { clock }), clock);
      await hub.live(5 * HOUR, dice(6), 10_000);
      db.exec('DELETE FROM metrics WHERE resolution > 0');
      hub.store.abandon();
      clock.jump(3 * HOUR + 17);
      const again = new HubOfFigures(openStoreOn(db, { clock }), clock);
      assert.deepEqual(again.hours('minute'), withoutIdle(hub.counted));
      assert.deepEqual(again.hours('hour'), withoutIdle(hub.counted));
      // A long time afterwards hours are still made of the minutes that are there, before the raw ones go.
      await again.store.flush();
      db.exec('DELETE FROM metrics WHERE resolution = 2');
      again.store.abandon();
      clock.jump(5 * DAY);
      const later = new HubOfFigures(openStoreOn(db, { clock }), clock);
      assert.deepEqual(later.hours('hour'), withoutIdle(hub.counted));
      assert.deepEqual(later.points('raw', 'rog'), []);
    });
  });

  describe('when the clock jumps', () => {
    it('back: points of what is the future now go, what comes is counted, the totals stay', async () => {
      const clock = new WallClock();
      const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
      await hub.live(2 * HOUR + 30 * MINUTE + 4_000, dice(7), 5_000);
      clock.jump(-(HOUR + 20 * MINUTE));
      const setBackTo = clock.now();
      const total = hub.store.totals.all().syncs;
      hub.note({ kind: 'taken', machine: 'rog', key: 'k' });
      hub.note({ kind: 'received', machine: 'rog', bytes: 1e9 });
      const before = hub.points('minute', 'rog', 0, setBackTo - MINUTE);
      clock.advance(6_000);
      assert.equal(hub.store.totals.all().syncs, total + 1);
      for (const resolution of ['raw', 'minute', 'hour'] as const)
        assert.ok(
          hub.points(resolution, 'rog').every(({ at }) => at <= clock.now()),
          resolution,
        );
      await hub.store.flush();
      clock.advance(HOUR);
      assert.deepEqual(hub.points('minute', 'rog', 0, setBackTo - MINUTE), before);
      const [hour] = hub.points('hour', 'rog', START + HOUR, START + 2 * HOUR);
      const minutes = hub.points('minute', 'rog', START + HOUR, START + 2 * HOUR);
      assert.equal(
        hour?.syncs,
        minutes.reduce((sum, { syncs }) => sum + syncs, 0),
      );
      const [span] = hub.points('raw', 'rog', setBackTo - 4_000);
      assert.ok(span !== undefined && span.bytesReceived >= 1e9);
      // The 10 s before the jump, in which the hub ran as well, are counted where they ended.
      assert.equal(hour?.spanMs, HOUR + 20_000);
    });

    it('forward, or the computer sleeps: there is nothing of the time between', async () => {
      const clock = new WallClock();
      const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
      hub.note({ kind: 'connection', machine: 'rog', status: 'online', reason: null });
      clock.advance(10 * MINUTE + 4_000);
      clock.jump(8 * HOUR);
      clock.advance(6_000);
      clock.advance(5 * MINUTE);
      const raw = hub.points('raw', 'rog');
      const told = [...raw, ...hub.sampler.unwritten('rog')];
      const wokeAt = START + 8 * HOUR + 10 * MINUTE;
      assert.deepEqual(
        told.filter(({ at }) => at >= START + 10 * MINUTE && at < wokeAt),
        [],
      );
      // For how long the hub ran is counted once, and the machine was online for all of it.
      assert.equal(
        told.reduce((sum, { spanMs }) => sum + spanMs, 0),
        15 * MINUTE + 10_000,
      );
      assert.ok(told.every(({ spanMs, onlineMs }) => onlineMs === spanMs));
      assert.equal(hub.points('hour', 'rog').length, 1);
    });

    it('far forward by mistake: what is kept is not thrown away for it at once', async () => {
      const db = new Database(':memory:');
      const clock = new WallClock();
      const hub = new HubOfFigures(openStoreOn(db, { clock }), clock);
      await hub.live(3 * HOUR, dice(8), 10_000);
      clock.jump(400 * DAY);
      clock.advance(30 * MINUTE);
      clock.jump(-400 * DAY);
      clock.advance(30 * MINUTE);
      assert.equal(hub.points('hour', 'rog').length, 4);
      await hub.store.flush();
      hub.store.abandon();
      clock.jump(400 * DAY);
      const again = new HubOfFigures(openStoreOn(db, { clock }), clock);
      assert.equal(again.points('hour', 'rog').length, 4);
      again.advance(HOUR);
      assert.equal(again.points('hour', 'rog').length, 1, 'but when it goes on like that');
    });
  });

  it('what was counted of a machine that is gone by now is not lost', async () => {
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    hub.note({ kind: 'delivered', machine: 'old', key: 'k', bytes: 9, latencyMs: 4, isWhole: true });
    hub.advance(2 * MINUTE);
    assert.deepEqual(
      hub.points('minute', 'old').map(({ bytesSent, files }) => [bytesSent, files]),
      [[9, 0]],
    );
    assert.equal(hub.points('minute', ALL_MACHINES)[0]?.bytesSent, 9);
    assert.equal(hub.store.totals.of('old').bytesSent, 9);
  });

  it('stop when told to', () => {
    const clock = new WallClock();
    const hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    hub.advance(12_000);
    hub.sampler.stop();
    hub.sampler.stop();
    const points = hub.points('raw', 'rog');
    assert.deepEqual(
      points.map(({ spanMs }) => spanMs),
      [10_000, 2_000],
    );
    clock.advance(HOUR);
    assert.deepEqual(hub.points('raw', 'rog'), points);
  });
});
