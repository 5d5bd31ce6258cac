import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import type { MetricPoint } from '../../../src/core/metrics/point.ts';
import { rollUp, rollUpInto } from '../../../src/core/metrics/roll-up.ts';
import { anyPoint, somePoint } from './sample-point.ts';

type Points = [MetricPoint, ...MetricPoint[]];

/** Raw points of two hours with gaps, each 10 s at most once. */
const anyRun = fc
  .tuple(fc.uniqueArray(fc.nat({ max: 719 }), { minLength: 1, maxLength: 80 }), fc.infiniteStream(anyPoint))
  .map(([steps, points]) =>
    steps.sort((a, b) => a - b).map((step) => ({ ...(points.next().value as MetricPoint), at: step * 10_000 })),
  ) as fc.Arbitrary<Points>;

describe('points rolled up', () => {
  it('add counts, times and latencies up, and keep what was measured at the end', () => {
    const points: Points = [
      somePoint({ at: 5, syncs: 1, bytesSent: 10, files: 7, pending: 9, mostPending: 9, latency: Histogram.of([4]) }),
      somePoint({ at: 15, syncs: 2, failed: 1, files: 8, pending: 1, mostPending: 4, latency: Histogram.of([8]) }),
    ];
    const expected = { at: 0, spanMs: 20_000, onlineMs: 20_000, syncs: 3, failed: 1, bytesSent: 10 };
    assert.deepEqual(
      rollUp(0, points),
      somePoint({ ...expected, files: 8, pending: 1, mostPending: 9, latency: Histogram.of([4, 8]) }),
    );
  });

  it('are the same in whatever groups that is done', () => {
    fc.assert(
      fc.property(anyRun, fc.array(fc.nat({ max: 80 }), { maxLength: 6 }), (points, cuts) => {
        const bounds = [0, ...new Set(cuts.map((cut) => cut % points.length)), points.length].sort((a, b) => a - b);
        const groups = bounds
          .slice(1)
          .map((end, index) => points.slice(bounds[index], end))
          .filter((group) => group.length > 0);
        const parts = groups.map((group) => rollUp(group[0]!.at, group as Points)) as Points;
        assert.deepEqual(rollUp(0, parts), rollUp(0, points));
      }),
    );
  });

  it('to hours are the same by way of minutes as at once, and their sums those of the raw points', () => {
    fc.assert(
      fc.property(anyRun, (points) => {
        const hours = rollUpInto(points, 3_600_000);
        assert.deepEqual(rollUpInto(rollUpInto(points, 60_000), 3_600_000), hours);
        const sum = (list: readonly MetricPoint[], of: (point: MetricPoint) => number): number =>
          list.reduce((total, point) => total + of(point), 0);
        const figures: ((point: MetricPoint) => number)[] = [
          ({ syncs }) => syncs,
          ({ bytesSent }) => bytesSent,
          ({ spanMs }) => spanMs,
          ({ latency }) => latency.sum,
        ];
        for (const of of figures) assert.equal(sum(hours, of), sum(points, of));
        assert.deepEqual(
          hours.map(({ at }) => at),
          [...new Set(points.map(({ at }) => Math.floor(at / 3_600_000) * 3_600_000))],
        );
      }),
    );
  });

  it('of several machines do not mix', () => {
    const [rog, mac] = [somePoint({ syncs: 1 }), somePoint({ machine: 'mac', syncs: 2 })];
    const later = somePoint({ at: 10_000, syncs: 4 });
    assert.deepEqual(rollUpInto([rog, mac, later], 60_000), [
      { ...rog, syncs: 5, spanMs: 20_000, onlineMs: 20_000 },
      mac,
    ]);
  });
});
