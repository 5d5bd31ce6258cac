import { z } from 'zod';
import { MachineNameSchema, NoParams, UnixMsSchema } from './shared.ts';

/** Most points that one answer holds; a finer step than that allows is refused. */
export const MOST_POINTS = 5_000;

/** Figures from `from` (inclusive) to `to` (exclusive), a point each `stepMs`. */
export const MetricsSeriesParams = z.strictObject({
  /** Without it: all machines together. */
  machine: MachineNameSchema.optional(),
  from: UnixMsSchema,
  to: UnixMsSchema,
  /** At least 10 s; finer than what is kept of that time gives points that are empty. */
  stepMs: z.number().int().min(10_000),
});

/** What was carried to and from a machine, or all of them, over some time. */
export const CarriedSchema = z.object({
  /** Changes that were taken in from it, and changes that were brought to it and verified there. */
  syncs: z.number(),
  /** Files that were given up on after three tries. */
  failed: z.number(),
  /** 0 to 1; 1 while nothing was tried. */
  successRate: z.number(),
  /** Files that it and another machine had both changed. */
  conflicts: z.number(),
  /** Bytes of content brought to it, and taken in from it. */
  bytesSent: z.number(),
  bytesReceived: z.number(),
  bytesSentPerSecond: z.number(),
  bytesReceivedPerSecond: z.number(),
});

/** A point of a chart. */
export const MetricsPoint = CarriedSchema.extend({
  /** Beginning of the step. */
  at: UnixMsSchema,
  /** For how long of it the hub ran, ms; 0: nothing is known of it, and everything else is 0. */
  observedMs: z.number(),
  /** Share of that in which the machine was online (of all machines: the mean), 0 to 1. */
  online: z.number(),
  /** At the end of the step. */
  files: z.number(),
  bytes: z.number(),
  pending: z.number(),
  /** Highest in the step. */
  mostPending: z.number(),
  /** At the end of the step; of all machines together only, 0 for one. Versions are counted uncompressed. */
  archiveBytes: z.number(),
  versionBytes: z.number(),
  /** From a change being seen to its being verified, ms; zeros while nothing was measured. Percentiles are right to 3 %. */
  latencyMs: z.object({
    count: z.number(),
    mean: z.number(),
    p50: z.number(),
    p90: z.number(),
    p99: z.number(),
    max: z.number(),
  }),
});
export type MetricsPoint = z.infer<typeof MetricsPoint>;

export const MetricsSeriesResult = z.object({
  /** What the points are made of: `raw` (10 s), `minute` or `hour`. */
  resolution: z.enum(['raw', 'minute', 'hour']),
  stepMs: z.number(),
  points: z.array(MetricsPoint),
});
export type MetricsSeriesResult = z.infer<typeof MetricsSeriesResult>;

/** All figures of now as OpenMetrics text. */
export const MetricsTextParams = NoParams;
export const MetricsTextResult = z.object({ contentType: z.string(), text: z.string() });
export type MetricsTextResult = z.infer<typeof MetricsTextResult>;
