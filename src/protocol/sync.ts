import { z } from 'zod';
import { KeySchema, MachineNameSchema } from './shared.ts';
import { MachineStatusSchema } from './status.ts';

/** Longest `hub/wait`, in ms (one day). */
export const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;

/** Scans, then waits until every reachable machine holds every head. `timeoutMs: null` waits for as long as it takes. */
export const WaitParams = z.strictObject({
  timeoutMs: z.number().int().min(0).max(LONGEST_WAIT_MS).nullable(),
});

/** Something that `wait` does not wait for (docs/sync.md section 8). */
export const NotWaitedFor = z.object({
  machine: MachineNameSchema,
  /** `null`: the whole machine (it is offline, paused or quarantined). */
  key: KeySchema.nullable(),
  why: z.enum(['held', 'evicted', 'deferred-live', 'manual', 'failed', 'unreadable', 'machine']),
  reason: z.string().nullable(),
});
export type NotWaitedFor = z.infer<typeof NotWaitedFor>;

/** Most entries of `notWaitedFor` in one answer; the counts are always complete. */
export const NOT_WAITED_FOR_LIMIT = 200;

export const WaitResult = z.object({
  /** Every reachable machine holds every head. */
  settled: z.boolean(),
  waitedMs: z.number(),
  /** What is still to be applied, per machine; all 0 when settled. */
  pending: z.array(z.object({ machine: MachineNameSchema, status: MachineStatusSchema, pending: z.number() })),
  notWaitedFor: z.array(NotWaitedFor),
  /** How many there are in all, when `notWaitedFor` was cut off. */
  notWaitedForTotal: z.number(),
  /**
   * Sessions that are open on a diverged machine: they hold every line there, in an order that is repaired when the
   * session is quiet. That counts as settled.
   */
  orderRepairedLater: z.array(z.object({ machine: MachineNameSchema, key: KeySchema })),
});
export type WaitResult = z.infer<typeof WaitResult>;

/** Scans one machine, or all, and reconciles; answers when the scans are done and their changes are applied. */
export const SyncNowParams = z.strictObject({ machine: MachineNameSchema.optional() });
export const SyncNowResult = z.object({
  machines: z.array(
    z.object({
      name: MachineNameSchema,
      status: MachineStatusSchema,
      /** Files seen by the scan. */
      files: z.number(),
      /** Differences that the scan found there. */
      changes: z.number(),
      durationMs: z.number(),
      /** Why this machine could not be scanned, else `null`. */
      problem: z.string().nullable(),
    }),
  ),
});
export type SyncNowResult = z.infer<typeof SyncNowResult>;
