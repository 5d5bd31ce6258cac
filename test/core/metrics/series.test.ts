import assert from 'node:assert/strict';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import { keptSince, RESOLUTIONS, resolutionFor } from '../../../src/core/metrics/resolution.ts';
import { series, stepsOf } from '../../../src/core/metrics/series.ts';
import { MetricsPoint } from '../../../src/protocol/metrics.ts';
import { somePoint } from './sample-point.ts';

const HOUR = 3_600_000;
const NOW = 1_700_000_005_000;

describe('a series for a chart', () => {
  it('has a point for each step, at multiples of the step, and zeros where nothing is known', () => {
    const points = [
      somePoint({ at: 60_000, syncs: 3, failed: 1, bytesSent: 500, onlineMs: 5_000, latency: Histogram.of([1, 1, 1]) }),
      somePoint({ at: 70_000, bytesReceived: 40, pending: 2, mostPending: 6, files: 9 }),
      somePoint({ at: 180_000, syncs: 1 }),
    ];
    const told = series(points, { from: 65_000, to: 180_001, stepMs: 60_000 });
    assert.deepEqual(
      told.map(({ at, observedMs, syncs }) => [at, observedMs, syncs]),
      [
        [60_000, 20_000, 3],
        [120_000, 0, 0],
        [180_000, 10_000, 1],
      ],
    );
    const { latencyMs, ...first } = told[0]!;
    assert.deepEqual(first, {
      ...{ at: 60_000, observedMs: 20_000, online: 0.75, syncs: 3, failed: 1, conflicts: 0, successRate: 0.75 },
      ...{ bytesSent: 500, bytesReceived: 40, bytesSentPerSecond: 25, bytesReceivedPerSecond: 2 },
      ...{ files: 9, bytes: 0, pending: 2, mostPending: 6, archiveBytes: 0, versionBytes: 0 },
    });
    assert.deepEqual(latencyMs, { count: 3, mean: 1, p50: 1, p90: 1, p99: 1, max: 1 });
    const { at, latencyMs: none, ...nothing } = told[1]!;
    assert.deepEqual([at, ...new Set([...Object.values(nothing), ...Object.values(none)])], [120_000, 0]);
    // Nothing was tried in the second half of the first step.
    assert.equal(series([points[1]!], { from: 70_000, to: 80_000, stepMs: 10_000 })[0]?.successRate, 1);
  });

  it('is what the protocol says', () => {
    const [point] = series([somePoint()], { from: 0, to: 1, stepMs: 10_000 });
    assert.deepEqual(MetricsPoint.strict().parse(point), point);
  });

  it('leaves out what is not in its time', () => {
    const points = [
      somePoint({ at: 0, syncs: 1 }),
      somePoint({ at: 10_000, syncs: 2 }),
      somePoint({ at: 20_000, syncs: 4 }),
    ];
    assert.deepEqual(
      series(points, { from: 10_000, to: 20_000, stepMs: 10_000 }).map(({ syncs }) => syncs),
      [2],
    );
    assert.equal(stepsOf({ from: 10_000, to: 20_000, stepMs: 10_000 }), 1);
    assert.equal(stepsOf({ from: 10_000, to: 10_000, stepMs: 10_000 }), 0);
  });
});

describe('the resolution that answers', () => {
  const cases: readonly [string, number, number, string][] = [
    ['10 s of the last hour', HOUR, 10_000, 'raw'],
    ['10 s of the last day, asked a moment later', 24 * HOUR + 5_000, 10_000, 'raw'],
    ['10 s of two days, as minutes', 48 * HOUR, 10_000, 'minute'],
    ['5 min of the last hour', HOUR, 300_000, 'minute'],
    ['90 s of the last hour: no minutes fit', HOUR, 90_000, 'raw'],
    ['90 s of two days: minutes, the finest there is', 48 * HOUR, 90_000, 'minute'],
    ['an hour of the last day', 24 * HOUR, HOUR, 'hour'],
    ['5 min of two weeks, as hours', 14 * 24 * HOUR, 300_000, 'hour'],
    ['a day of ten years', 87_600 * HOUR, 24 * HOUR, 'hour'],
  ];
  for (const [what, since, stepMs, expected] of cases)
    it(`${what}: ${expected}`, () =>
      assert.equal(resolutionFor({ from: NOW - since, stepMs, now: NOW }).name, expected));

  it('keeps whole hours', () => {
    const since = keptSince(RESOLUTIONS.raw, NOW);
    assert.equal(since % HOUR, 0);
    assert.ok(since <= NOW - 24 * HOUR && since > NOW - 25 * HOUR);
  });
});
