/** Things that can happen in a simulated world. */
export type Happening =
  | 'start'
  | 'resume'
  | 'turn'
  | 'exit'
  | 'kill'
  | 'withdraw'
  | 'compact'
  | 'move'
  | 'sidecar'
  | 'edit'
  | 'remove'
  | 'sweep'
  | 'emptyDisk'
  | 'backup'
  | 'restoreBackup'
  | 'seal'
  | 'secret'
  | 'symlink'
  | 'unsafeName'
  | 'deleteMany'
  | 'copyByHand'
  | 'forget'
  | 'busy'
  | 'diskFull'
  | 'clockJump'
  | 'cut'
  | 'stall'
  | 'crash'
  | 'powerLoss'
  | 'restartHub';

/** A kind of day: which things happen how often. Chosen by the seed, so that rare paths are walked often. */
export interface Flavour {
  readonly name: string;
  readonly weights: Readonly<Partial<Record<Happening, number>>>;
  /** Mean time between two happenings, virtual ms. */
  readonly gapMs: number;
  /** How long things happen with the hub running, virtual ms. */
  readonly durationMs: number;
  /** Probability that a program writes to a file at the very moment at which the hub works on it. */
  readonly ambush: number;
  readonly machines: readonly [number, number];
  /** Mean one-way delay to remote machines, ms. */
  readonly delayMs: number;
}

const EVERYDAY = { start: 3, resume: 6, turn: 40, exit: 4, kill: 1, sidecar: 3, edit: 6, remove: 1 } as const;

/** All flavours; a seed uses the one at its number modulo their count. */
export const FLAVOURS: readonly Flavour[] = [
  flavour('everyday', {}, {}),
  flavour('divergence', { resume: 20, turn: 60, cut: 4, copyByHand: 2 }, { ambush: 0.1 }),
  flavour('ambush', { resume: 15, turn: 50, exit: 10 }, { ambush: 0.35 }),
  flavour('crashes', { crash: 5, restartHub: 1, resume: 10 }, { ambush: 0.1 }),
  flavour('power', { powerLoss: 4, crash: 1, resume: 8 }, {}),
  flavour('flaky', { cut: 10, stall: 8, resume: 10, turn: 60 }, { delayMs: 25, ambush: 0.1 }),
  flavour('sweep', { sweep: 5, exit: 10, resume: 10, start: 6 }, {}),
  flavour('documents', { edit: 60, remove: 10, turn: 5, cut: 3, busy: 2 }, { ambush: 0.2 }),
  flavour('compaction', { compact: 10, resume: 15, turn: 40, cut: 6, copyByHand: 2 }, { ambush: 0.05 }),
  flavour('moves', { move: 10, resume: 10, turn: 30, cut: 2 }, { ambush: 0.05 }),
  flavour('withdrawals', { withdraw: 12, kill: 6, resume: 15, turn: 40 }, { ambush: 0.1 }),
  flavour('mishaps', { emptyDisk: 1, backup: 4, restoreBackup: 2, deleteMany: 2, seal: 3, sweep: 1, clockJump: 1 }, {}),
  flavour('privacy', { secret: 12, symlink: 4, unsafeName: 3, forget: 4, edit: 15, exit: 10 }, {}),
  flavour('full-disks', { diskFull: 5, busy: 5, edit: 20, turn: 40 }, {}),
];

function flavour(name: string, weights: Flavour['weights'], rest: Partial<Flavour>): Flavour {
  return {
    name,
    weights: { ...EVERYDAY, ...weights },
    gapMs: 700,
    durationMs: 80_000,
    ambush: 0.02,
    machines: [2, 3],
    delayMs: 4,
    ...rest,
  };
}
