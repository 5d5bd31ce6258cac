import fc from 'fast-check';
import { Histogram } from '../../../src/core/metrics/histogram.ts';
import type { MetricPoint } from '../../../src/core/metrics/point.ts';

/** A point in which nothing happened. */
export function somePoint(more: Partial<MetricPoint> = {}): MetricPoint {
  return {
    ...{ machine: 'rog', at: 0, spanMs: 10_000, onlineMs: 10_000 },
    ...{ syncs: 0, failed: 0, conflicts: 0, bytesSent: 0, bytesReceived: 0 },
    ...{ files: 0, bytes: 0, pending: 0, mostPending: 0, archiveBytes: 0, versionBytes: 0 },
    latency: Histogram.EMPTY,
    ...more,
  };
}

const count = fc.nat({ max: 1_000_000 });

/** Any point of one machine that begins at 0; with a raw step's length. */
export const anyPoint: fc.Arbitrary<MetricPoint> = fc.record({
  machine: fc.constant('rog'),
  at: fc.constant(0),
  spanMs: fc.integer({ min: 1, max: 10_000 }),
  onlineMs: fc.nat({ max: 10_000 }),
  ...{ syncs: count, failed: count, conflicts: count, bytesSent: count, bytesReceived: count },
  ...{ files: count, bytes: count, pending: count, mostPending: count, archiveBytes: count, versionBytes: count },
  latency: fc.array(fc.nat({ max: 100_000 }), { maxLength: 5 }).map((samples) => Histogram.of(samples)),
});
