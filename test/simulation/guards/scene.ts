import type { Guard } from '../../../src/hub/engine/guards.ts';
import type { Stage } from './stage.ts';

/** A scene in which one guard is what keeps a promise. */
export interface Scene {
  /** What happens, in one sentence. */
  readonly what: string;
  /** Whether the hub's disk can lose what was not synced. */
  readonly losesPower?: boolean;
  play(stage: Stage): Promise<void>;
}

/** Scenes by the guard that they show. */
export type Scenes = Readonly<Partial<Record<Guard, Scene>>>;
