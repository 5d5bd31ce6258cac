import { z } from 'zod';
import { KeySchema, MachineNameSchema, UnixMsSchema } from './shared.ts';

/** Why a version was kept. */
export const VersionReasonSchema = z.enum([
  'overwritten',
  'deleted',
  'lost-conflict',
  'merged',
  'cut',
  'torn',
  'quarantined',
]);

/** One row of `versions --json` (stable contract). */
export const VersionSchema = z.object({
  version: z.number().int(),
  key: KeySchema,
  machine: MachineNameSchema,
  at: UnixMsSchema,
  bytes: z.number(),
  sha256: z.string(),
  reason: VersionReasonSchema,
  /** Whether the head has this content now. */
  isHead: z.boolean(),
});
export type Version = z.infer<typeof VersionSchema>;

/** What a user may type: a key, a path below claudeDir or a bare session uuid. */
const KeyInput = KeySchema;

export const VersionsListParams = z.strictObject({ key: KeyInput });
/** Newest first. */
export const VersionsListResult = z.object({ key: KeySchema, versions: z.array(VersionSchema) });
export type VersionsListResult = z.infer<typeof VersionsListResult>;

/**
 * Brings content back (docs/sync.md section 9). A log without `version`: the head is put back everywhere it was evicted, or on
 * `machine` alone; with `version`: that state as a new session. A document: a new head. `machine` is refused for other keys
 * than evicted ones.
 */
export const VersionsRestoreParams = z.strictObject({
  key: KeyInput,
  version: z.number().int().min(1).optional(),
  machine: MachineNameSchema.optional(),
});
export const VersionsRestoreResult = z.object({
  key: KeySchema,
  /** Where the content is now: another key than `key` when a state of a session became a new session. */
  restoredAs: KeySchema,
  version: z.number().int().nullable(),
  bytes: z.number(),
  /** Machines that it is being written to. */
  machines: z.array(MachineNameSchema),
});
export type VersionsRestoreResult = z.infer<typeof VersionsRestoreResult>;

/** The only way to delete a session everywhere, for good. `preview` changes nothing. */
export const SessionsForgetParams = z.strictObject({ session: KeyInput, preview: z.boolean() });
export const SessionsForgetResult = z.object({
  session: z.string(),
  /** False in a preview. */
  forgotten: z.boolean(),
  title: z.string().nullable(),
  /** The session, its forks and their sidecars. */
  keys: z.array(KeySchema),
  versions: z.number(),
  historyLines: z.number(),
  bytes: z.number(),
  /** Machines that hold any of it. Those that cannot be reached now are cleared when they come back. */
  machines: z.array(MachineNameSchema),
});
export type SessionsForgetResult = z.infer<typeof SessionsForgetResult>;
