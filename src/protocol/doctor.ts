import { z } from 'zod';
import { MachineNameSchema, NoParams } from './shared.ts';

/** One checked prerequisite. Everything that is not `ok` names its fix. */
export const Finding = z.object({
  /** Stable name of the check, e.g. `node-version`, `watch-limit`. */
  check: z.string(),
  severity: z.enum(['ok', 'warning', 'problem']),
  /** `null`: about the hub itself. */
  machine: MachineNameSchema.nullable(),
  message: z.string(),
  fix: z.string().nullable(),
});
export type Finding = z.infer<typeof Finding>;

export const DoctorParams = NoParams;
export const DoctorResult = z.object({ findings: z.array(Finding) });
export type DoctorResult = z.infer<typeof DoctorResult>;
