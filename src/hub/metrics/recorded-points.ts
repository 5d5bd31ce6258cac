import type { MachineName, UnixMs } from '../../core/domain.ts';
import type { MetricPoint } from '../../core/metrics/point.ts';
import { RESOLUTIONS, type ResolutionName } from '../../core/metrics/resolution.ts';
import type { MetricTable } from '../store/store.ts';

/** Rows that are read in one turn of the event loop. */
const PAGE = 1_000;

const FROM_COARSE = [RESOLUTIONS.hour, RESOLUTIONS.minute, RESOLUTIONS.raw] as const;

/** What recorded points are read from. */
export interface Records {
  readonly metrics: Pick<MetricTable, 'read' | 'newestAt'>;
  /** Raw points that are not in the table yet, oldest first. */
  readonly unwritten: (machine: MachineName) => readonly MetricPoint[];
  /** Lets other things run. */
  readonly turn: () => Promise<void>;
}

/** Which points. */
export interface Asked {
  readonly machine: MachineName;
  readonly from: UnixMs;
  readonly to: UnixMs;
  readonly resolution: ResolutionName;
}

/**
 * The points of a machine in a resolution, oldest first, then the finer ones of the time that is not rolled up yet: the running hour is in a
 * chart, too. No time is in two of them.
 */
export async function recordedPoints(
  records: Records,
  { machine, from, to, resolution }: Asked,
): Promise<MetricPoint[]> {
  const { metrics, unwritten } = records;
  // Before the pages: what is written between two of them is found here or there.
  const waiting = unwritten(machine).filter((point) => point.at >= from && point.at < to);
  const points = new Map<UnixMs, MetricPoint>();
  let start = from;
  let rawFrom = from;
  for (const { name, stepMs } of FROM_COARSE.slice(FROM_COARSE.findIndex(({ name }) => name === resolution))) {
    rawFrom = start;
    const newest = name === 'raw' ? null : metrics.newestAt(name);
    const end = name === 'raw' ? to : Math.min(to, newest === null ? start : newest + stepMs);
    for await (const point of pages(records, name, { machine, from: start, to: end })) points.set(point.at, point);
    start = Math.max(start, end);
  }
  for (const point of waiting) if (point.at >= rawFrom && !points.has(point.at)) points.set(point.at, point);
  return [...points.values()].sort((a, b) => a.at - b.at);
}

async function* pages(
  { metrics, turn }: Records,
  resolution: ResolutionName,
  range: { readonly machine: MachineName; readonly from: UnixMs; readonly to: UnixMs },
): AsyncGenerator<MetricPoint> {
  let { from } = range;
  while (from < range.to) {
    const page = metrics.read(resolution, { ...range, from, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last.at + 1;
    await turn();
  }
}
