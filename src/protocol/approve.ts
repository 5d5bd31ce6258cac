import { z } from 'zod';
import { ExcerptSchema, KeySchema, MachineNameSchema, NoParams, UnixMsSchema } from './shared.ts';

/** Executable content from a machine with trust `data`, waiting for the user (docs/sync.md section 10). */
export const ApprovalSchema = z.object({
  id: z.number().int(),
  key: KeySchema,
  machine: MachineNameSchema,
  at: UnixMsSchema,
  /** `null`: the machine deleted it. */
  sha256: z.string().nullable(),
  bytes: z.number(),
  executable: z.boolean(),
  status: z.enum(['waiting', 'accepted', 'rejected']),
});
export type Approval = z.infer<typeof ApprovalSchema>;

export const ApproveListParams = NoParams;
/** Those that wait, newest first. */
export const ApproveListResult = z.object({ approvals: z.array(ApprovalSchema) });
export type ApproveListResult = z.infer<typeof ApproveListResult>;

export const ApproveShowParams = z.strictObject({ id: z.number().int() });
export const ApproveShowResult = z.object({
  approval: ApprovalSchema,
  /** What all machines have now; `null` when they have nothing. */
  current: ExcerptSchema.nullable(),
  /** What the machine wants it to be; `null` for a delete. */
  proposed: ExcerptSchema.nullable(),
});
export type ApproveShowResult = z.infer<typeof ApproveShowResult>;

/** Puts the content into force everywhere. `sha256` is what the user saw: when it has changed since, `refused`. */
export const ApproveAcceptParams = z.strictObject({ id: z.number().int(), sha256: z.string().nullable().optional() });
/** Keeps the content as a version only. */
export const ApproveRejectParams = z.strictObject({ id: z.number().int() });
export const ApproveDecisionResult = z.object({ approval: ApprovalSchema });
export type ApproveDecisionResult = z.infer<typeof ApproveDecisionResult>;
