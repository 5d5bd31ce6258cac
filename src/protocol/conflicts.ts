import { z } from 'zod';
import { ContentSchema, ExcerptSchema, KeySchema, MachineNameSchema, UnixMsSchema } from './shared.ts';

export const ConflictStatusSchema = z.enum(['open', 'resolved', 'reversed']);

/** One machine's side of a conflict. */
export const ConflictSideSchema = z.object({
  machine: MachineNameSchema,
  /** `null`: deleted there. */
  sha256: z.string().nullable(),
  bytes: z.number(),
  mtimeMs: UnixMsSchema,
});
export type ConflictSide = z.infer<typeof ConflictSideSchema>;

export const ConflictSchema = z.object({
  id: z.number().int(),
  key: KeySchema,
  at: UnixMsSchema,
  status: ConflictStatusSchema,
  sides: z.array(ConflictSideSchema).readonly(),
  /** What the hub did: `last-write-wins`, `manual`, `first-pairing`, `merged`. */
  strategy: z.string(),
  /** The machine whose side is the head, `null` while none is. */
  winner: MachineNameSchema.nullable(),
  resolvedAt: UnixMsSchema.nullable(),
  /** `keep rog`, `merged`, ... */
  resolution: z.string().nullable(),
});
export type Conflict = z.infer<typeof ConflictSchema>;

/** Newest first. Without `status`: the open ones. */
export const ConflictsListParams = z.strictObject({
  status: z.union([ConflictStatusSchema, z.literal('all')]).optional(),
});
export const ConflictsListResult = z.object({ conflicts: z.array(ConflictSchema) });
export type ConflictsListResult = z.infer<typeof ConflictsListResult>;

export const ConflictsShowParams = z.strictObject({ id: z.number().int() });
export const ConflictsShowResult = z.object({
  conflict: ConflictSchema,
  /** The common ancestor, `null` where there is none. */
  base: ExcerptSchema.nullable(),
  /** In the order of `conflict.sides`; `content` is `null` for a side that deleted the file. */
  contents: z.array(z.object({ machine: MachineNameSchema, content: ExcerptSchema.nullable() })),
});
export type ConflictsShowResult = z.infer<typeof ConflictsShowResult>;

/**
 * Decides a conflict: one machine's side, or new content. The other sides stay versions, so a decision can be taken again:
 * resolving a resolved conflict reverses the first decision.
 */
export const ConflictsResolveParams = z.union([
  z.strictObject({ id: z.number().int(), keep: MachineNameSchema }),
  z.strictObject({ id: z.number().int(), merged: ContentSchema }),
]);
export const ConflictsResolveResult = z.object({ conflict: ConflictSchema });
export type ConflictsResolveResult = z.infer<typeof ConflictsResolveResult>;
