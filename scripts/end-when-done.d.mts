import type { ChildProcess } from 'node:child_process';

/** See end-when-done.mjs. */
export function endWhenDone(
  child: ChildProcess,
  countFile: string,
  options?: {
    /** How long a process may take to end, ms. */
    afterMs?: number;
    /** Where it says what it found. */
    say?: (text: string) => void;
  },
): { readonly wasNeeded: boolean };
