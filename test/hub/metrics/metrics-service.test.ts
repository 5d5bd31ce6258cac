import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import type { MetricPoint } from '../../../src/core/metrics/point.ts';
import { NO_COUNTS } from '../../../src/core/metrics/roll-up.ts';
import { createMetricsService, type MetricsService } from '../../../src/hub/metrics/metrics-service.ts';
import { recordedPoints } from '../../../src/hub/metrics/recorded-points.ts';
import { openStoreOn } from '../../../src/hub/store/open-store.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import { METHODS, type ParamsOf, type ResultOf } from '../../../src/protocol/methods.ts';
import { somePoint } from '../../core/metrics/sample-point.ts';
import { dice, HOUR, HubOfFigures, withoutIdle } from './hub-of-figures.ts';
import { START, WallClock } from './wall-clock.ts';

const MINUTE = 60_000;

describe('requests about figures', () => {
  let clock: WallClock;
  let hub: HubOfFigures;
  let service: MetricsService;

  beforeEach(() => {
    clock = new WallClock();
    hub = new HubOfFigures(openStoreOn(new Database(':memory:'), { clock }), clock);
    service = createMetricsService({
      ...{ metrics: hub.store.metrics, sampler: hub.sampler, clock },
      knows: (machine) => ['rog', 'mac'].includes(machine),
      figures: () => ({
        hub: { version: '1', startedAt: START, residentBytes: 1 },
        ...{ totals: NO_COUNTS, machines: [], openConflicts: 0, activeAlerts: { info: 0, warning: 0, error: 0 } },
        ...{ archiveBytes: 0, versionBytes: 0 },
      }),
    });
  });

  const context = { signal: new AbortController().signal };

  async function series(asked: ParamsOf<'metrics/series'>): Promise<ResultOf<'metrics/series'>> {
    const params = METHODS['metrics/series'].params.parse(asked);
    const result = await service.requests['metrics/series'](params, context);
    return METHODS['metrics/series'].result.parse(result);
  }

  it('an hour of the past and the running one are what was counted, in each step', async () => {
    await hub.live(2 * HOUR + 17 * MINUTE + 33_000, dice(9), 2_000);
    // The running span of 10 s is not told yet.
    const end = clock.now() - 3_000;
    const expected = withoutIdle(hub.counted);
    for (const [stepMs, resolution] of [
      [10_000, 'raw'],
      [90_000, 'raw'],
      [MINUTE, 'minute'],
      [15 * MINUTE, 'minute'],
      [HOUR, 'hour'],
      [3 * HOUR, 'hour'],
    ] as const) {
      const result = await series({ machine: 'rog', from: START, to: clock.now(), stepMs });
      assert.deepEqual([result.resolution, result.stepMs], [resolution, stepMs]);
      const sum = (of: (point: (typeof result.points)[number]) => number): number =>
        result.points.reduce((total, point) => total + of(point), 0);
      assert.equal(
        sum(({ observedMs }) => observedMs),
        end - START,
      );
      const raw = [...hub.points('raw', 'rog'), ...hub.sampler.unwritten('rog')];
      const counted = (of: (point: MetricPoint) => number): number =>
        raw.reduce((total, point) => total + of(point), 0);
      assert.equal(
        sum(({ syncs }) => syncs),
        counted(({ syncs }) => syncs),
      );
      assert.equal(
        sum(({ bytesSent }) => bytesSent),
        counted(({ bytesSent }) => bytesSent),
      );
      assert.equal(
        sum(({ latencyMs }) => latencyMs.count),
        counted(({ latency }) => latency.count),
      );
    }
    const [first, second] = (await series({ machine: 'mac', from: START, to: START + 2 * HOUR, stepMs: HOUR })).points;
    for (const [at, point] of [
      [START, first],
      [START + HOUR, second],
    ] as const) {
      const sums = expected.get(`mac ${at}`)!;
      assert.deepEqual(
        [point?.at, point?.syncs, point?.failed, point?.conflicts, point?.bytesSent, point?.bytesReceived],
        [at, sums.syncs, sums.failed, sums.conflicts, sums.sent, sums.received],
      );
      assert.equal(point?.online, sums.onlineMs / HOUR);
      assert.equal(point?.bytesSentPerSecond, sums.sent / 3_600);
      assert.equal(point?.latencyMs.mean, sums.latencyMs / sums.latencies);
      assert.equal(point?.successRate, sums.syncs / (sums.syncs + sums.failed));
    }
  });

  it('without a machine all are told together', async () => {
    for (const machine of ['rog', 'mac']) hub.note({ kind: 'taken', machine, key: 'k' });
    hub.advance(10_000);
    const [point] = (await series({ from: START, to: clock.now(), stepMs: 10_000 })).points;
    assert.deepEqual([point?.syncs, point?.files, point?.archiveBytes], [2, 6, 100]);
  });

  it('many points are read in pages, and others get their turn between', async () => {
    const at = (index: number): number => START + index * 10_000;
    for (let index = 0; index < 2_500; index += 1) hub.store.metrics.put('raw', somePoint({ at: at(index), syncs: 1 }));
    let turns = 0;
    const limits = new Set<number>();
    const told = await recordedPoints(
      {
        metrics: {
          newestAt: (resolution) => hub.store.metrics.newestAt(resolution),
          read(resolution, range) {
            limits.add(range.limit);
            return hub.store.metrics.read(resolution, range);
          },
        },
        unwritten: () => [somePoint({ at: at(2_500), syncs: 1 }), somePoint({ at: at(9_999), syncs: 1 })],
        turn: async () => {
          turns += 1;
          // What was waiting is written meanwhile: it is told once.
          hub.store.metrics.put('raw', somePoint({ at: at(2_500), syncs: 1 }));
        },
      },
      { machine: 'rog', from: START, to: at(3_000), resolution: 'raw' },
    );
    assert.deepEqual(
      told.map((point) => point.at),
      Array.from({ length: 2_501 }, (_, index) => at(index)),
    );
    assert.equal(turns, 2);
    assert.deepEqual([...limits], [1_000]);
  });

  it('no time is told twice where resolutions meet', async () => {
    const { metrics } = hub.store;
    const latency = Histogram.of([5]);
    for (let index = 0; index < 150; index += 1) {
      if (index < 130) metrics.put('minute', somePoint({ at: START + index * MINUTE, syncs: 6, latency }));
      if (index < 2) metrics.put('hour', somePoint({ at: START + index * HOUR, syncs: 360, latency }));
      for (let part = 0; part < 6; part += 1)
        metrics.put('raw', somePoint({ at: START + index * MINUTE + part * 10_000, syncs: 1, latency }));
    }
    clock.jump(3 * HOUR);
    for (const stepMs of [HOUR, MINUTE, 10_000]) {
      const { points } = await series({ machine: 'rog', from: START, to: START + 3 * HOUR, stepMs });
      assert.equal(
        points.reduce((sum, { syncs }) => sum + syncs, 0),
        150 * 6,
        String(stepMs),
      );
    }
  });

  it('refuses what makes no sense, with what to do', async () => {
    const from = START;
    const wrong: [ParamsOf<'metrics/series'>, string, RegExp][] = [
      [{ from, to: from, stepMs: 10_000 }, 'invalid-params', /end after the beginning/],
      [{ from, to: from - 1, stepMs: 10_000 }, 'invalid-params', /end after the beginning/],
      [{ from, to: from + 50_010_000, stepMs: 10_000 }, 'invalid-params', /at least 11 s/],
      [{ from: -1e300, to: 1e300, stepMs: 10_000 }, 'invalid-params', /shorter time/],
      [{ from, to: from + 1, stepMs: 10_000, machine: 'nobody' }, 'not-found', /machines list/],
    ];
    for (const [asked, code, next] of wrong)
      await assert.rejects(series(asked), (error) => {
        assert.ok(HubError.is(error, code as 'not-found'), String(error));
        assert.match(error.next ?? '', next);
        return true;
      });
    assert.equal((await series({ from, to: from + 50_000_000, stepMs: 10_000 })).points.length, 5_000);
    assert.equal((await series({ from: from + 1, to: from + 49_990_000, stepMs: 10_000 })).points.length, 4_999);
  });

  it('tells everything of now as text', async () => {
    const { contentType, text } = await service.requests['metrics/text']({}, context);
    assert.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    assert.match(text, /^# TYPE claude_sync_hub info\n/);
    assert.match(text, /# EOF\n$/);
  });
});
