import type { Key, MachineName, UnixMs } from '../domain.ts';
import type { Finding } from './alert.ts';

/**
 * The finding of this id as it stands, `undefined` when it does not. A rule asks for it where there are two limits, one to raise and one
 * to clear, and where nothing is known at the moment: what stood then stands until somebody knows better.
 */
export type Standing = (id: string) => Finding | undefined;

/** Room on a disk, bytes. */
export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What went wrong with files on a machine. */
export interface FailureFacts {
  /** Files that were given up on after three tries. */
  readonly givenUp: number;
  /** Why, of one of them. */
  readonly reason: string | null;
  /** Tries that failed one after the other, without one in between that did not. */
  readonly inARow: number;
  /** Why the last of them did. */
  readonly lastReason: string | null;
}

/** How the folders of a machine are watched. */
export interface WatcherFacts {
  /**
   * `well`: as it should be. `missing`: they are polled, and need not be. `limit`: the system has no more watches to give. `trouble`:
   * anything else that the watcher told.
   */
  readonly state: 'well' | 'missing' | 'limit' | 'trouble';
  /** What it told; `null` when it is well. */
  readonly reason: string | null;
  /** What helps; `null` when nothing is known. */
  readonly fix: string | null;
}

/** Sessions that Claude Code's own clean-up is about to delete on the one machine that has them. */
export interface CleanUpFacts {
  /** `cleanupPeriodDays` there. */
  readonly days: number;
  readonly sessions: number;
  /** When the first of them is due, `null` when there are none. */
  readonly earliestAt: UnixMs | null;
}

/** What is known of one machine. `null` stands for "not known now". */
export interface MachineFacts {
  readonly name: MachineName;
  readonly status: 'online' | 'degraded' | 'offline' | 'paused' | 'quarantined';
  readonly reason: string | null;
  /** What to do about a status that is not well. */
  readonly next: string;
  readonly failures: FailureFacts;
  readonly clock: { readonly offsetMs: number; readonly fix: string } | null;
  readonly watcher: WatcherFacts | null;
  readonly space: Space | null;
  readonly cleanUp: CleanUpFacts | null;
}

/** A conflict that waits for the user. */
export interface ConflictFacts {
  readonly id: number;
  readonly key: Key;
  readonly machines: readonly MachineName[];
  /** Whose side the hub goes on with, `null` while with none. */
  readonly winner: MachineName | null;
}

/** A conflict that arose lately, decided or not. */
export interface RecentConflict {
  readonly id: number;
  readonly key: Key;
  readonly at: UnixMs;
}

/** A file that goes back and forth between machines. */
export interface AlternationFacts {
  readonly key: Key;
  readonly machines: readonly MachineName[];
}

/** What the last removal of old versions could not do as configured. */
export interface RetentionFacts {
  /** Versions that went before their time. */
  readonly forced: number;
  readonly stillOver: boolean;
  readonly bytesAfter: number;
  readonly keepDays: number;
  readonly maxBytes: number;
}

/** All that the rules look at. */
export interface HealthFacts {
  readonly now: UnixMs;
  readonly machines: readonly MachineFacts[];
  /** Open ones, oldest first. */
  readonly conflicts: readonly ConflictFacts[];
  readonly recentConflicts: readonly RecentConflict[];
  readonly alternations: readonly AlternationFacts[];
  readonly approvalsWaiting: number;
  readonly hubSpace: Space | null;
  /** Why the hub's disk refuses writes, `null` when it does not. */
  readonly diskTrouble: string | null;
  /** Why the configuration cannot be used, and its file. */
  readonly configuration: { readonly problem: string; readonly file: string | null } | null;
  readonly retention: RetentionFacts | null;
  /** The hub's own files that are damaged. */
  readonly damaged: readonly { readonly key: Key; readonly what: string }[];
  /** How many of them the last comparison mended. */
  readonly mended: number;
}
