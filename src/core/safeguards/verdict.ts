/** What made a safeguard stop a machine (docs/sync.md section 8). */
export type SafeguardCode =
  | 'many-deletes'
  | 'many-changes'
  | 'logs-lost'
  | 'back-in-time'
  | 'root-missing'
  | 'root-emptied'
  | 'marker-missing'
  | 'marker-foreign'
  | 'marker-twice'
  | 'conflict-loop';

/**
 * What a safeguard says: `null` for nothing unusual, else why the machine (for `conflict-loop`: the key) is to be stopped.
 * `reason` is for the user: one or two sentences with what was seen and what to do.
 */
export type Verdict = null | { readonly code: SafeguardCode; readonly reason: string };

/** The next step of a quarantined machine, the last sentence of each reason. */
export const RESUME_HINT = '`claude-sync machines resume` shows what would happen and lets it go on.';
