import { z } from 'zod';
import { Alert } from './alerts.ts';
import { CarriedSchema } from './metrics.ts';
import { MachineNameSchema, NoParams, OsSchema, UnixMsSchema } from './shared.ts';

/**
 * `online`: connected and seen in the last 60 s; `degraded`: no connection, or not seen for 60 s; `offline`: for 300 s;
 * `paused`: neither read nor written; `quarantined`: a safeguard stopped it, `reason` says which and what to do.
 */
export const MachineStatusSchema = z.enum(['online', 'degraded', 'offline', 'paused', 'quarantined']);
export type MachineStatus = z.infer<typeof MachineStatusSchema>;

/** Why some keys are held back on a machine, and how many. */
export const HeldReason = z.object({ reason: z.string(), count: z.number() });
export type HeldReason = z.infer<typeof HeldReason>;

/** Keys that are not level on a machine although nothing is pending there, by cause (docs/sync.md sections 3 to 8). */
export const UnsettledCounts = z.object({
  /** Held back on purpose, see `heldBecause`. */
  held: z.number(),
  /** The most frequent reasons for `held`, most frequent first. */
  heldBecause: z.array(HeldReason).optional(),
  /** Swept away there by Claude's clean-up; not pushed again. */
  evicted: z.number(),
  /** Waits until the session is quiet there. */
  deferredLive: z.number(),
  /** Waits for the user: conflict in manual mode, or content that needs approval. */
  manual: z.number(),
  /** Gave up after three tries. */
  failed: z.number(),
  /** Could not be listed or read there, so nothing is known about it. */
  unreadable: z.number(),
});
export type UnsettledCounts = z.infer<typeof UnsettledCounts>;

/** How far the first sync of a machine is. */
export const FirstSyncProgress = z.object({
  machine: MachineNameSchema,
  phase: z.enum(['scanning', 'reading', 'writing', 'done']),
  filesDone: z.number(),
  /** 0 while it is not known yet. */
  filesTotal: z.number(),
  bytesDone: z.number(),
  bytesTotal: z.number(),
});
export type FirstSyncProgress = z.infer<typeof FirstSyncProgress>;

/** What was carried to and from a machine since the hub's database was made; rates are of the last seconds. */
export const TrafficSchema = CarriedSchema.extend({
  /** Share of the last 24 hours (in which the hub ran) that it was online, 0 to 1; 1 while nothing is known. */
  onlineShare: z.number(),
});
export type Traffic = z.infer<typeof TrafficSchema>;

/** One machine in `status`. Times are Unix ms, 0 for "never"; latencies are ms, 0 while nothing was measured. */
export const MachineReport = z.object({
  name: MachineNameSchema,
  role: z.enum(['hub', 'spoke']),
  os: OsSchema,
  status: MachineStatusSchema,
  lastSeenAt: UnixMsSchema,
  lastSyncAt: UnixMsSchema,
  /** Files and bytes there that take part in the sync. */
  files: z.number(),
  bytes: z.number(),
  /** Changes that are still to be applied there. */
  pending: z.number(),
  watcher: z.string(),
  latencyMs: z.object({ p50: z.number(), p99: z.number() }),
  reason: z.string().nullable(),
  unsettled: UnsettledCounts.optional(),
  traffic: TrafficSchema.optional(),
  /** Present until the machine's first sync is done. */
  firstSync: FirstSyncProgress.optional(),
});
export type MachineReport = z.infer<typeof MachineReport>;

export const StatusParams = NoParams;

/** Stable contract of `status --json`; fields may be added, none changes its meaning. */
export const StatusResult = z.object({
  hub: z.object({
    pid: z.number().int(),
    version: z.string(),
    startedAt: UnixMsSchema,
    uptimeMs: z.number(),
  }),
  /** Every online machine was observed within its scan interval and holds every head that is meant for it. */
  inSync: z.boolean(),
  machines: z.array(MachineReport),
  conflicts: z.object({ open: z.number() }),
  alerts: z.array(Alert),
  totals: z.object({
    syncs: z.number(),
    failed: z.number(),
    /** 0 to 1; 1 while nothing was tried. */
    successRate: z.number(),
    bytesSent: z.number(),
    bytesReceived: z.number(),
    bytesPerSecond: z.number(),
  }),
  /** What the hub stores: heads as plain files, kept versions (uncompressed), and its database. */
  storage: z
    .object({
      archiveBytes: z.number(),
      archiveFiles: z.number(),
      versionBytes: z.number(),
      databaseBytes: z.number(),
    })
    .optional(),
  /** Contents that wait for `approve`. */
  approvals: z.object({ waiting: z.number() }).optional(),
});
export type StatusResult = z.infer<typeof StatusResult>;
