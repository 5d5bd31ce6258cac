import type { MachineName, UnixMs } from '../domain.ts';
import type { Counts, MetricPoint } from './point.ts';
import { beginning } from './resolution.ts';

/** Nothing was counted. */
export const NO_COUNTS: Counts = { syncs: 0, failed: 0, conflicts: 0, bytesSent: 0, bytesReceived: 0 };

/** Both together; what `more` does not name is nothing. */
export function addCounts(counts: Counts, more: Partial<Counts>): Counts {
  return {
    syncs: counts.syncs + (more.syncs ?? 0),
    failed: counts.failed + (more.failed ?? 0),
    conflicts: counts.conflicts + (more.conflicts ?? 0),
    bytesSent: counts.bytesSent + (more.bytesSent ?? 0),
    bytesReceived: counts.bytesReceived + (more.bytesReceived ?? 0),
  };
}

/**
 * Points of one machine, oldest first, as one point: counts and lengths of time add up, latencies come together, what was measured at an
 * end is that of the last.
 * @param at beginning of the point.
 */
export function rollUp(at: UnixMs, [first, ...later]: readonly [MetricPoint, ...MetricPoint[]]): MetricPoint {
  let sum: MetricPoint = { ...first, at };
  for (const point of later) {
    sum = {
      ...point,
      ...addCounts(sum, point),
      at,
      spanMs: sum.spanMs + point.spanMs,
      onlineMs: sum.onlineMs + point.onlineMs,
      mostPending: Math.max(sum.mostPending, point.mostPending),
      latency: sum.latency.merge(point.latency),
    };
  }
  return sum;
}

/**
 * Points of any machines as points of steps of this length; each goes into the step that it begins in.
 * @param points those of one machine oldest first.
 * @returns those of one machine oldest first.
 */
export function rollUpInto(points: Iterable<MetricPoint>, stepMs: number): MetricPoint[] {
  const groups = new Map<MachineName, Map<UnixMs, [MetricPoint, ...MetricPoint[]]>>();
  for (const point of points) {
    let steps = groups.get(point.machine);
    if (steps === undefined) groups.set(point.machine, (steps = new Map<UnixMs, [MetricPoint, ...MetricPoint[]]>()));
    const at = beginning(point.at, stepMs);
    const group = steps.get(at);
    if (group === undefined) steps.set(at, [point]);
    else group.push(point);
  }
  return [...groups.values()].flatMap((steps) => [...steps].map(([at, group]) => rollUp(at, group)));
}
