import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import { ALL_MACHINES } from '../../../src/core/metrics/point.ts';
import { NO_COUNTS } from '../../../src/core/metrics/roll-up.ts';
import type { SyncEvent } from '../../../src/hub/engine/events.ts';
import { Meter } from '../../../src/hub/metrics/meter.ts';
import { openStoreOn, type InlineStore } from '../../../src/hub/store/open-store.ts';
import { logLine } from '../store/samples.ts';
import { CONFLICT } from './hub-of-figures.ts';
import { START, WallClock } from './wall-clock.ts';

const key = 'session/x';

describe('the meter', () => {
  let clock: WallClock;
  let store: InlineStore;
  let meter: Meter;

  beforeEach(() => {
    clock = new WallClock();
    store = openStoreOn(new Database(':memory:'), { clock });
    meter = new Meter({ totals: store.totals, clock });
  });

  const delivered = (bytes: number, latencyMs: number | null = null, isWhole = true): SyncEvent => {
    return { kind: 'delivered', machine: 'mac', key, bytes, latencyMs, isWhole };
  };

  const cases: readonly [string, SyncEvent, object][] = [
    ['a change that was taken in is a sync', { kind: 'taken', machine: 'mac', key }, { syncs: 1 }],
    ['a change that was brought is a sync, and its bytes are sent', delivered(7), { syncs: 1, bytesSent: 7 }],
    ['a piece of a long one is bytes alone', delivered(7, null, false), { bytesSent: 7 }],
    ['bytes that were read are received', { kind: 'received', machine: 'mac', bytes: 9 }, { bytesReceived: 9 }],
    ['a file that was given up on failed', { kind: 'failed', machine: 'mac', key, reason: 'r' }, { failed: 1 }],
    ['a try that is followed by another counts as nothing', { kind: 'retry', machine: 'mac', key, reason: 'r' }, {}],
    ['a conflict is one', { kind: 'conflict', machine: 'mac', conflict: CONFLICT }, { conflicts: 1 }],
    ['a hint counts as nothing', { kind: 'heard', machine: 'mac', path: 'p' }, {}],
    ['a line of the log counts as nothing', { kind: 'logged', row: logLine({ source: 'mac' }) }, {}],
  ];
  for (const [what, event, expected] of cases)
    it(what, () => {
      meter.note(event);
      assert.deepEqual(store.totals.of('mac'), { ...NO_COUNTS, ...expected });
      assert.deepEqual(meter.take('mac', true, { from: START, now: START }).counts, { ...NO_COUNTS, ...expected });
      assert.deepEqual(meter.take('mac', true, { from: START, now: START }).counts, NO_COUNTS, 'only once');
      assert.deepEqual(store.totals.of('mac'), { ...NO_COUNTS, ...expected });
    });

  it('tells latencies of a span to whoever takes it, and all of them since the start', () => {
    const many = Array.from({ length: 2_500 }, (_, index) => index);
    for (const ms of many) meter.note(delivered(1, ms));
    meter.note(delivered(1, null));
    assert.deepEqual(meter.latency('mac'), Histogram.of(many));
    assert.deepEqual(meter.take('mac', true, { from: START, now: START }).latency, Histogram.of(many));
    assert.deepEqual(meter.take('mac', true, { from: START, now: START }).latency, Histogram.EMPTY);
    meter.note(delivered(1, 7));
    meter.note({ ...delivered(1, 90), machine: 'rog' } as SyncEvent);
    assert.deepEqual(meter.latency('mac'), Histogram.of([...many, 7]));
    assert.deepEqual(meter.latency(ALL_MACHINES), Histogram.of([...many, 7, 90]));
    assert.deepEqual(meter.latency('nobody'), Histogram.EMPTY);
  });

  it('tells the rate over the last 10 s in both directions', () => {
    meter.note(delivered(600));
    meter.note({ kind: 'received', machine: 'rog', bytes: 50 });
    clock.advance(5_000);
    meter.note(delivered(400));
    assert.deepEqual(meter.rates('mac'), { sent: 100, received: 0 });
    assert.deepEqual(meter.rates('rog'), { sent: 0, received: 5 });
    assert.deepEqual(meter.rates(ALL_MACHINES), { sent: 100, received: 5 });
    clock.advance(4_999);
    assert.deepEqual(meter.rates('mac').sent, 100);
    clock.advance(1);
    assert.deepEqual(meter.rates('mac').sent, 40);
    clock.jump(-60_000);
    assert.deepEqual(meter.rates('mac').sent, 0);
    assert.deepEqual(meter.rates('nobody'), { sent: 0, received: 0 });
    clock.jump(120_000);
    meter.note(delivered(10));
    assert.deepEqual(meter.rates('mac').sent, 1);
  });

  it('counts the time online to the ms, and of a machine that said nothing as it is now', () => {
    const span = (from: number, now: number): { from: number; now: number } => ({
      from: START + from,
      now: START + now,
    });
    assert.equal(meter.take('mac', true, span(0, 10_000)).onlineMs, 10_000);
    assert.equal(meter.take('rog', false, span(0, 10_000)).onlineMs, 0);
    clock.advance(14_000);
    meter.note({ kind: 'connection', machine: 'mac', status: 'paused', reason: null });
    meter.note({ kind: 'connection', machine: 'rog', status: 'online', reason: null });
    clock.advance(2_000);
    meter.note({ kind: 'connection', machine: 'mac', status: 'online', reason: null });
    clock.advance(4_000);
    assert.equal(meter.take('mac', true, span(10_000, 20_000)).onlineMs, 8_000);
    assert.equal(meter.take('rog', true, span(10_000, 20_000)).onlineMs, 6_000);
    assert.equal(meter.take('rog', true, span(20_000, 30_000)).onlineMs, 10_000);
  });

  it('forgets a machine that is gone, but not its totals', () => {
    meter.note(delivered(9, 4));
    assert.deepEqual(meter.machines(), ['mac']);
    meter.forget('mac');
    assert.deepEqual(meter.machines(), []);
    assert.equal(meter.latency('mac').count, 0);
    assert.equal(store.totals.of('mac').bytesSent, 9);
  });
});
