import { plainLine } from '../../client/plain-text.ts';
import { RESUME_HINT } from '../../core/safeguards/verdict.ts';

/** Why a machine is as it is, harmless; '' for no reason. Without the command that the reason names: here there are buttons. */
export function reasonWords(reason: string | null): string {
  return reason === null ? '' : plainLine(reason.replace(RESUME_HINT, '').trim());
}
