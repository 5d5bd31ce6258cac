import type { UnixMs } from '../domain.ts';
import type { Counts, MetricPoint } from './point.ts';
import { beginning } from './resolution.ts';
import { NO_COUNTS, rollUpInto } from './roll-up.ts';

/** Figures of one step of a chart, of the shape that clients get. */
export interface SeriesPoint extends Counts {
  readonly at: UnixMs;
  /** For how long of the step the hub ran, ms; 0: nothing is known of it. */
  readonly observedMs: number;
  /** Share of that in which the machine was online, 0 to 1. */
  readonly online: number;
  /** 0 to 1; 1 while nothing was tried. */
  readonly successRate: number;
  readonly bytesSentPerSecond: number;
  readonly bytesReceivedPerSecond: number;
  readonly files: number;
  readonly bytes: number;
  readonly pending: number;
  readonly mostPending: number;
  readonly archiveBytes: number;
  readonly versionBytes: number;
  readonly latencyMs: {
    readonly count: number;
    readonly mean: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
}

/** What a chart shows: steps of this length, each beginning at a multiple of it, from the one that holds `from` to the last before `to`. */
export interface SeriesRange {
  readonly from: UnixMs;
  readonly to: UnixMs;
  readonly stepMs: number;
}

/** Number of steps of a range. */
export function stepsOf({ from, to, stepMs }: SeriesRange): number {
  return Math.max(0, Math.ceil((to - beginning(from, stepMs)) / stepMs));
}

/**
 * A point for each step of `range`, also where nothing is known.
 * @param points of one machine, oldest first; those outside of the range are left out.
 */
export function series(points: Iterable<MetricPoint>, range: SeriesRange): SeriesPoint[] {
  const first = beginning(range.from, range.stepMs);
  const known = new Map(rollUpInto(points, range.stepMs).map((point) => [point.at, point]));
  return Array.from({ length: stepsOf(range) }, (_, index) => {
    const at = first + index * range.stepMs;
    const point = known.get(at);
    return point === undefined || point.spanMs === 0 ? nothingAt(at) : seriesPoint(point);
  });
}

/** Share of what was tried that succeeded, 0 to 1; 1 while nothing was tried. */
export function successRate({ syncs, failed }: Pick<Counts, 'syncs' | 'failed'>): number {
  return syncs + failed === 0 ? 1 : syncs / (syncs + failed);
}

function seriesPoint(point: MetricPoint): SeriesPoint {
  const { syncs, failed, conflicts, bytesSent, bytesReceived, spanMs, latency } = point;
  const { files, bytes, pending, mostPending, archiveBytes, versionBytes } = point;
  return {
    at: point.at,
    observedMs: spanMs,
    online: Math.min(1, point.onlineMs / spanMs),
    ...{ syncs, failed, conflicts, bytesSent, bytesReceived },
    successRate: successRate(point),
    bytesSentPerSecond: (bytesSent * 1_000) / spanMs,
    bytesReceivedPerSecond: (bytesReceived * 1_000) / spanMs,
    ...{ files, bytes, pending, mostPending, archiveBytes, versionBytes },
    latencyMs: {
      count: latency.count,
      mean: latency.mean,
      p50: latency.percentile(0.5),
      p90: latency.percentile(0.9),
      p99: latency.percentile(0.99),
      max: latency.max,
    },
  };
}

function nothingAt(at: UnixMs): SeriesPoint {
  return {
    ...{ at, observedMs: 0, online: 0, ...NO_COUNTS, successRate: 0, bytesSentPerSecond: 0, bytesReceivedPerSecond: 0 },
    ...{ files: 0, bytes: 0, pending: 0, mostPending: 0, archiveBytes: 0, versionBytes: 0 },
    latencyMs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 },
  };
}
