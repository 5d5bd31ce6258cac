import type { RefusalCode, WriteOutcome } from '../replica/replica.ts';
import type { DelayKind } from './work-queue.ts';

/** How far one reconciliation of one key on one machine got. */
export type Outcome =
  /** The copy is what it is meant to be. */
  | { readonly kind: 'level' }
  /** The copy was not as expected: look at it (again) now. */
  | { readonly kind: 'look' }
  /** Look again later. */
  | { readonly kind: 'later'; readonly ms: number; readonly wait: DelayKind }
  /** Everything that may be done while the session is open there was done. */
  | { readonly kind: 'deferred-live'; readonly reason: string }
  /** Kept back on purpose; `reason` is for the user. */
  | { readonly kind: 'held'; readonly reason: string }
  /** The user has to decide. */
  | { readonly kind: 'manual'; readonly reason: string }
  /** The machine did not take it; it is tried again a few times. */
  | { readonly kind: 'failed'; readonly reason: string; readonly code: RefusalCode };

export const LEVEL: Outcome = { kind: 'level' };
export const LOOK: Outcome = { kind: 'look' };

/** Later look that `wait` waits for. */
export function settling(ms: number): Outcome {
  return { kind: 'later', ms, wait: 'settling' };
}

/** Outcome for a write that was not done. */
export function notDone(outcome: Exclude<WriteOutcome, { kind: 'done' }>): Outcome {
  if (outcome.kind === 'changed') return LOOK;
  switch (outcome.code) {
    case 'no-hard-links':
    case 'unsafe-path':
    case 'name-collision':
      return { kind: 'held', reason: outcome.reason };
    case 'no-space':
    case 'denied':
    case 'busy':
    case 'io':
      return { kind: 'failed', reason: outcome.reason, code: outcome.code };
  }
}
