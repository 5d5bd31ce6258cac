import type { MachineName, UnixMs } from '../../core/domain.ts';
import { Histogram } from '../../core/metrics/histogram.ts';
import { ALL_MACHINES, type MetricPoint } from '../../core/metrics/point.ts';
import { addCounts, NO_COUNTS } from '../../core/metrics/roll-up.ts';
import type { Taken } from './meter.ts';

/** A machine as it is now. */
export interface MachineGauges {
  readonly name: MachineName;
  readonly isOnline: boolean;
  /** Files there that take part, their bytes, and changes that are still to be applied there. */
  readonly files: number;
  readonly bytes: number;
  readonly pending: number;
}

/** Everything that is measured rather than counted, as it is now. */
export interface Gauges {
  readonly machines: readonly MachineGauges[];
  /** Of the heads in the archive, and of the kept versions (uncompressed). */
  readonly archiveBytes: number;
  readonly versionBytes: number;
}

/** What a point is about: `spanMs` is how long the hub ran; the clock may say something else (`from` to `now`). */
export interface SampledSpan {
  readonly at: UnixMs;
  readonly spanMs: number;
  readonly from: UnixMs;
  readonly now: UnixMs;
}

/** The point of one machine. */
export function pointOfMachine(
  { name, isOnline, files, bytes, pending }: MachineGauges,
  { counts, latency, onlineMs }: Taken,
  { at, spanMs, from, now }: SampledSpan,
): MetricPoint {
  const elapsed = now - from;
  // Where the clock went on by something else than the hub ran for, the share of the time is what is known.
  const online = elapsed > 0 ? (onlineMs / elapsed) * spanMs : isOnline ? spanMs : 0;
  return {
    ...{ machine: name, at, spanMs, onlineMs: Math.round(Math.min(spanMs, online)) },
    ...counts,
    ...{ files, bytes, pending, mostPending: pending, archiveBytes: 0, versionBytes: 0, latency },
  };
}

/** The point of all machines: sums, and the mean of the time online. */
export function pointOfAll(
  points: readonly MetricPoint[],
  { archiveBytes, versionBytes }: Pick<Gauges, 'archiveBytes' | 'versionBytes'>,
  { at, spanMs }: Pick<SampledSpan, 'at' | 'spanMs'>,
): MetricPoint {
  const sum = (of: (point: MetricPoint) => number): number => points.reduce((total, point) => total + of(point), 0);
  const pending = sum((point) => point.pending);
  return {
    ...{ machine: ALL_MACHINES, at, spanMs },
    onlineMs: points.length === 0 ? 0 : Math.round(sum((point) => point.onlineMs) / points.length),
    ...points.reduce(addCounts, NO_COUNTS),
    files: sum((point) => point.files),
    bytes: sum((point) => point.bytes),
    ...{ pending, mostPending: pending, archiveBytes, versionBytes },
    latency: points.reduce((all, point) => all.merge(point.latency), Histogram.EMPTY),
  };
}
