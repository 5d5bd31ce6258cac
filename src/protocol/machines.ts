import { z } from 'zod';
import { KeySchema, MachineNameSchema, NoParams } from './shared.ts';
import { MachineReport } from './status.ts';

/** What `status` tells about a machine, and how it is configured. */
export const MachineEntry = MachineReport.extend({
  transport: z.enum(['local', 'ssh']),
  /** `null` until the hub has reached it once. */
  claudeDir: z.string().nullable(),
  home: z.string().nullable(),
  trust: z.enum(['full', 'data']),
});
export type MachineEntry = z.infer<typeof MachineEntry>;

export const MachinesListParams = NoParams;
export const MachinesListResult = z.object({ machines: z.array(MachineEntry) });
export type MachinesListResult = z.infer<typeof MachinesListResult>;

/** From the answer on, the machine is neither read nor written until it is resumed. */
export const MachinesPauseParams = z.strictObject({ machine: MachineNameSchema });
export const MachinesPauseResult = z.object({ machine: MachineEntry });
export type MachinesPauseResult = z.infer<typeof MachinesPauseResult>;

/**
 * `refill`: forget what was verified there and unite, deleting nothing; `accept-deletes`: what is gone there was meant to go;
 * `new-id`: its folder is a copy of another machine's: it gets a mark of its own, then the same as `refill`.
 */
export const ResumeModeSchema = z.enum(['refill', 'accept-deletes', 'new-id']);
export type ResumeMode = z.infer<typeof ResumeModeSchema>;

/**
 * Ends a pause or a quarantine. A quarantined machine needs a mode (error `refused` without one); `preview` changes nothing
 * and shows what each mode would do.
 */
export const MachinesResumeParams = z.strictObject({
  machine: MachineNameSchema,
  mode: ResumeModeSchema.nullable(),
  preview: z.boolean(),
});

/** What resuming in one mode does. */
export const ResumePlan = z.object({
  mode: ResumeModeSchema,
  /** Files that would be written there. */
  written: z.object({ files: z.number(), bytes: z.number() }),
  /** Files that would be read from there. */
  read: z.object({ files: z.number(), bytes: z.number() }),
  /** Deletes that would spread from there to the other machines (tombstones; evictions never spread). */
  deleted: z.number(),
  /** Files that would need the user's decision. */
  conflicts: z.number(),
  /** Some of the keys concerned, deletes first. */
  examples: z.array(KeySchema),
});
export type ResumePlan = z.infer<typeof ResumePlan>;

export const MachinesResumeResult = z.object({
  machine: MachineEntry,
  /** Why it is (or was) quarantined, else `null`. */
  quarantine: z.string().nullable(),
  /** Machines whose folder carries the same mark: only mode `new-id` helps then. */
  sharedWith: z.array(MachineNameSchema).optional(),
  /** The modes asked for: all that fit in a preview without a mode, the one that was carried out otherwise; empty after a mere pause. */
  plans: z.array(ResumePlan),
  /** False in a preview. */
  resumed: z.boolean(),
});
export type MachinesResumeResult = z.infer<typeof MachinesResumeResult>;
