import type { Guard } from '../../../src/hub/engine/guards.ts';

/** A run of the simulation: its seed, and its flavour where it is not the one of the seed. */
export interface CatchingSeed {
  readonly seed: number;
  readonly flavour?: string;
}

/**
 * For each guard a run that breaks a promise without it and none with it. `npm run simulate -- --find-catching` finds others, with
 * `--flavour` and `--guard-off` one can be looked for where it is likely.
 */
export const CATCHING_SEEDS: Readonly<Partial<Record<Guard, CatchingSeed>>> = {
  'union-without-base': { seed: 0 },
  'change-beats-delete': { seed: 7 },
  'evict-not-delete': { seed: 5 },
  'cut-keeps-head': { seed: 10 },
  'whole-lines': { seed: 10 },
  'verify-prefix': { seed: 2 },
  'merge-divergence': { seed: 0 },
  'merge-cursor': { seed: 0 },
  'one-copy': { seed: 37 },
  'append-precondition': { seed: 80 },
  'torn-target': { seed: 6 },
  'live-append-only': { seed: 1 },
  'undo-before-replace': { seed: 7 },
  'late-writes': { seed: 16 },
  'create-exclusive': { seed: 5 },
  'durable-before-destructive': { seed: 18 },
  'archive-tail': { seed: 4 },
  'keep-loser': { seed: 1 },
  'deny-rules': { seed: 0 },
  'forgotten-stays': { seed: 12 },
};

/**
 * Guards against what has to come together so rarely that hundreds of seeds pass without them: what an operation answered is lost
 * just then, a disk writes something else, a whole tree changes while nothing else does.
 */
export const SHOWN_BY_SCENES_ONLY: readonly Guard[] = [
  'unknown-is-not-absent',
  'confirm-delete',
  'read-back',
  'unknown-outcome',
  'own-pieces',
  'sent-lines',
  'epoch-temps',
  'quarantine-emptied',
  'quarantine-deletes',
  'quarantine-back-in-time',
];
