import type { Key, MachineName, MachineOs, Pair, RelativePath, UnixMs } from '../../core/domain.ts';
import type { Rules } from '../../core/rules/classify.ts';
import type { Archive } from '../archive/archive.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Replica } from '../replica/replica.ts';
import type { Store, SyncLogRow } from '../store/store.ts';
import type { SyncEvent } from './events.ts';
import type { Guards } from './guards.ts';
import type { KeyLock } from './key-lock.ts';
import type { SentLines } from './logs/sent-lines.ts';
import type { RetentionSettings } from './upkeep/retention.ts';
import type { WorkQueue } from './work-queue.ts';

/** What the engine has to know about a machine, from the configuration. */
export interface MachineSettings {
  readonly trust: 'full' | 'data';
  readonly paused: boolean;
  readonly scope: {
    /** Project names or ids; `null` = all. */
    readonly projects: readonly string[] | null;
    readonly maxAgeDays: number | null;
    readonly maxFileBytes: number | null;
    readonly placement: 'always' | 'present-only';
  };
}

/** What the engine takes from the configuration. */
export interface EngineSettings {
  /** Project name -> machine -> absolute path. */
  readonly projects: Readonly<Record<string, Readonly<Record<MachineName, string>>>>;
  readonly conflictStrategy: 'last-write-wins' | 'manual';
  /** Globs on keys -> strategy, first match wins. */
  readonly conflictOverrides: readonly {
    readonly matches: (key: Key) => boolean;
    readonly strategy: 'last-write-wins' | 'manual';
  }[];
  readonly scanSeconds: number;
  /** How long versions are kept; without it, for ever. */
  readonly versions?: RetentionSettings;
}

/** Content that was brought to a machine and verified there. */
export interface Delivery {
  readonly key: Key;
  /** 0 for a delete. */
  readonly bytes: number;
  /** Whether the copy is level now with the head that was brought; `false` for a piece of a long one. */
  readonly isWhole: boolean;
}

/** A machine as the flows that reconcile a key see it. */
export interface MachineView {
  readonly name: MachineName;
  readonly replica: Replica;
  readonly settings: MachineSettings;
  readonly os: MachineOs;
  readonly queue: WorkQueue;
  /** Machine clock minus hub clock, ms. */
  readonly clockOffsetMs: number;
  /** Whether writes may go there now (connected, not paused, not quarantined). */
  readonly writable: boolean;
  /** Whether the first pairing of this machine is still under way. */
  readonly pairing: boolean;
  /** Whether a CLI there has the session open; at most a second old unless `fresh`. */
  isLive(session: string, fresh?: boolean): Promise<boolean>;
  /**
   * Whether appends of an earlier connection may still arrive: what was sent and given up then can turn up at the end of a file as
   * if somebody had written it.
   */
  readonly mayEcho: boolean;
  /** New files are made at these paths from now on: what is heard of them before `endWriting` is looked into then. */
  beginWriting(paths: ReadonlySet<RelativePath>): void;
  endWriting(paths: ReadonlySet<RelativePath>): void;
  /** Hub time of the last change seen in this copy. */
  changedAt(key: Key): UnixMs | null;
  noteChange(key: Key): void;
  /** Bytes of a head are there and verified. */
  noteDelivered(delivery: Delivery): void;
  /** Bytes of content were read there. */
  noteReceived(bytes: number): void;
  /** The file of `key` was swapped out: what a late writer still puts into it has to be looked for, and belongs to `forkKey` if that is set. */
  noteSwap(key: Key, forkKey: Key | null): void;
  /** Takes in late writes first when the file of `key` was swapped out a moment ago: they come before what the new file has. */
  takeLateWrites(key: Key): Promise<void>;
  /** The fork that the swapped-out file of `key` belonged to, while that is remembered. */
  swappedFork(key: Key): Key | null;
  /**
   * Whether the folder is still the tree that the hub knows: with its mark, and not emptied. Asked before an absence counts as a delete;
   * what says otherwise stops the machine.
   */
  isItself(): Promise<boolean>;
  /** A file whose delete would be passed on was found absent (or is there again). */
  pendingDelete(key: Key, pending: boolean): void;
  /** What the safeguards count. A returned sentence means: stop this machine. */
  noteSuspicion(kind: 'lost-log' | 'back-in-time' | 'delete', key: Key): void;
  /** Keys that have no place there (yet), with the reason; they are thought of again at every scan. */
  readonly heldKeys: Map<Key, string>;
  /** Things in the tree that are not carried, by path (symlinks, bad names, unreadable). */
  readonly notices: Map<RelativePath, string>;
}

/** Everything the flows share. */
export interface EngineContext {
  readonly store: Store;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly random: Random;
  readonly guards: Guards;
  readonly rules: Rules;
  readonly settings: EngineSettings;
  readonly lock: KeyLock;
  machine(name: MachineName): MachineView | undefined;
  machines(): Iterable<MachineView>;
  /** The head of `key` changed: every machine but `source` is behind. `isNews`: something of `source` was taken in (default). */
  headChanged(key: Key, source: MachineName | null, isNews?: boolean): void;
  /** `headChanged` for many keys at once. */
  headsChanged(keys: readonly Key[], source: MachineName): void;
  /** Counts changes of a head that are not appends; a copy brought level with an older generation is not level. */
  generation(key: Key): number;
  newGeneration(key: Key): void;
  /** When the change that led to the present head was seen (hub clock), for latency figures. */
  headSeenAt(key: Key): UnixMs | null;
  noteHeadSeen(key: Key, at: UnixMs): void;
  /** Makes archive and database durable: before anything destructive on a machine. */
  makeDurable(keys: readonly Key[]): Promise<void>;
  /** Lines that were written into copies behind what the hub knew of them. */
  readonly sentLines: SentLines;
  isForgotten(key: Key): boolean;
  /** Whether anything was ever forgotten. */
  readonly hasForgotten: () => boolean;
  /** The hub's own file of this head is damaged: it must not be passed on. */
  isDamaged(key: Key): boolean;
  /** That was found while it was used: it is mended, or named, soon. */
  archiveDamaged(key: Key): void;
  /** A session was made out of one side of a compacted divergence. */
  noteFork(session: string, fork: string): void;
  logged(row: Omit<SyncLogRow, 'at'>): void;
  /** Tells those who count, log and notify. */
  tell(event: SyncEvent): void;
}

/** Session uuid of a key, or `null` for keys that belong to no session. */
export function sessionOf(key: Key): string | null {
  if (!key.startsWith('session/')) return null;
  const end = key.indexOf('/', 8);
  return end < 0 ? key.slice(8) : key.slice(8, end);
}

/** A pair that is level as far as its state goes, with `change` applied. */
export function settledPair(pair: Pair, change: Partial<Pair>): Pair {
  return { ...pair, state: 'ok', reason: null, ...change };
}
