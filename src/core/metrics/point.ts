import type { MachineName, UnixMs } from '../domain.ts';
import type { Histogram } from './histogram.ts';

/** Stands for all machines together in place of a machine's name. */
export const ALL_MACHINES = '';

/** What is counted of a machine since ever. */
export interface Counts {
  /** Changes that were taken in from it, and changes that were brought to it and verified there. */
  readonly syncs: number;
  /** Files that were given up on after three tries. */
  readonly failed: number;
  /** Files that it and another machine had both changed. */
  readonly conflicts: number;
  /** Bytes of content brought to it. */
  readonly bytesSent: number;
  /** Bytes of content taken in from it. */
  readonly bytesReceived: number;
}

/** Figures of one machine, or of all, over a span of time. */
export interface MetricPoint extends Counts {
  /** `ALL_MACHINES`: all together. */
  readonly machine: MachineName;
  /** Beginning of the span. */
  readonly at: UnixMs;
  /** For how long of it the hub ran, ms. */
  readonly spanMs: number;
  /** For how long of that the machine was online; of all machines, the mean. */
  readonly onlineMs: number;
  /** At the end: files there that take part, their bytes, changes that are still to be applied there. */
  readonly files: number;
  readonly bytes: number;
  readonly pending: number;
  /** Highest `pending` that was seen. */
  readonly mostPending: number;
  /** At the end, of all machines only: bytes of the heads in the archive, and of the kept versions (uncompressed). */
  readonly archiveBytes: number;
  readonly versionBytes: number;
  /** From a change being seen to its being verified on this machine. */
  readonly latency: Histogram;
}
