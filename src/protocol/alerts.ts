import { z } from 'zod';
import { KeySchema, MachineNameSchema, UnixMsSchema } from './shared.ts';

/** Something the user should know, with what goes on as before and what to do about it. */
export const Alert = z.object({
  /** Stable while the cause lasts, so that a client shows it once. */
  id: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  /** What happened. */
  message: z.string(),
  /** What goes on as before. */
  unaffected: z.string(),
  /** The next step; `null` when there is nothing to do. */
  next: z.string().nullable(),
  machine: MachineNameSchema.nullable(),
  key: KeySchema.nullable(),
  /** When it was raised. */
  at: UnixMsSchema,
});
export type Alert = z.infer<typeof Alert>;

/** An alert with what became of it. */
export const AlertRecord = Alert.extend({
  /** `null` while the cause lasts. */
  clearedAt: UnixMsSchema.nullable(),
  dismissedAt: UnixMsSchema.nullable(),
});
export type AlertRecord = z.infer<typeof AlertRecord>;

/** Without `all` those that `status` shows: the cause lasts, and nobody dismissed them. */
export const AlertsListParams = z.strictObject({ all: z.boolean().optional() });
/** The worst first, then the newest. */
export const AlertsListResult = z.object({ alerts: z.array(AlertRecord) });
export type AlertsListResult = z.infer<typeof AlertsListResult>;

/** It is shown no more while its cause lasts; if it comes back another day it is a new one. */
export const AlertsDismissParams = z.strictObject({ id: z.string() });
export const AlertsDismissResult = z.object({ alert: AlertRecord });
export type AlertsDismissResult = z.infer<typeof AlertsDismissResult>;

/** What changed; `active` is the whole list that `status` shows now. */
export const AlertsChanged = z.object({
  raised: z.array(Alert),
  cleared: z.array(Alert),
  active: z.array(Alert),
});
export type AlertsChanged = z.infer<typeof AlertsChanged>;
