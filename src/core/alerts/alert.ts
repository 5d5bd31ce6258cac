import type { Key, MachineName, UnixMs } from '../domain.ts';

/** How bad it is. */
export type Severity = 'info' | 'warning' | 'error';

/** Something that the user should know, as it is found now. */
export interface Finding {
  /** The same for as long as the cause lasts: `offline/rog`. */
  readonly id: string;
  readonly severity: Severity;
  /** What happened, in one sentence. */
  readonly message: string;
  /** What goes on as before. */
  readonly unaffected: string;
  /** The next step, `null` when there is nothing to do. */
  readonly next: string | null;
  readonly machine: MachineName | null;
  readonly key: Key | null;
}

/** A finding with its history. */
export interface Alert extends Finding {
  readonly raisedAt: UnixMs;
  /** `null` while the cause lasts. */
  readonly clearedAt: UnixMs | null;
  /** When the user had seen enough of it, `null` when not. */
  readonly dismissedAt: UnixMs | null;
}
