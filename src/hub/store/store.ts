import type { Head, Key, MachineName, Pair, RelativePath, Sha256, UnixMs, VersionReason } from '../../core/domain.ts';
import type { Alert } from '../../core/alerts/alert.ts';
import type { Counts, MetricPoint } from '../../core/metrics/point.ts';
import type { ResolutionName } from '../../core/metrics/resolution.ts';
import type { SegmentHashes } from '../../core/log/segments.ts';

/**
 * The hub's memory. Heads, pairs and the other small tables live in memory and are written behind in groups
 * (at most `GROUP_COMMIT_MS` later); what must be on disk before something destructive happens waits for `flush`.
 * Observations are stored, work is derived: after a crash the plans are computed again.
 *
 * Reads are synchronous and see every write made before them. Writes never fail at the call: a write that the database
 * refuses makes `flush` reject with `StoreUnwritable` and is kept for the next try.
 */
export interface Store {
  readonly heads: HeadTable;
  readonly pairs: PairTable;
  readonly versions: VersionTable;
  readonly conflicts: ConflictTable;
  readonly syncLog: SyncLogTable;
  readonly machines: MachineTable;
  readonly intents: IntentTable;
  readonly undo: UndoTable;
  readonly projects: ProjectTable;
  readonly approvals: ApprovalTable;
  readonly pulls: PullTable;
  readonly sessionMarks: SessionMarkTable;
  readonly metrics: MetricTable;
  readonly totals: TotalsTable;
  readonly alerts: AlertTable;

  /** The next sequence number; never given twice, also across crashes. */
  nextSeq(): number;
  /** Small values of the hub itself (last clean shutdown, connection epochs, ...). */
  getSetting(name: string): string | null;
  setSetting(name: string, value: string): void;

  /**
   * Resolves when everything written before the call is committed; with `durable`, also synced to stable storage.
   * @throws {StoreUnwritable} when the database cannot be written (disk full, read-only, damaged).
   */
  flush(options?: { readonly durable?: boolean }): Promise<void>;
  /** Flushes and closes. */
  close(): Promise<void>;
}

/** Longest time that a write may wait for its group. */
export const GROUP_COMMIT_MS = 50;

export interface HeadTable {
  get(key: Key): Head | undefined;
  put(head: Head): void;
  delete(key: Key): void;
  values(): IterableIterator<Head>;
  readonly count: number;
  /** Files of the archive and their bytes. */
  readonly files: { readonly count: number; readonly bytes: number };
  /** Calls `listener` after every `put` and `delete`, in the same turn. One listener; a later one takes its place. */
  onChange(listener: (key: Key) => void): () => void;
  /** Keys that begin with `prefix`. */
  withPrefix(prefix: string): Key[];
  /** What a log's bytes were when they were last compared; `null` when nothing is known. */
  segments(key: Key): SegmentHashes | null;
  /** `null` when other content took the place of the log. */
  putSegments(key: Key, segments: SegmentHashes | null): void;
}

export interface PairTable {
  get(machine: MachineName, key: Key): Pair | undefined;
  put(pair: Pair): void;
  delete(machine: MachineName, key: Key): void;
  ofMachine(machine: MachineName): IterableIterator<Pair>;
  /** The pair whose copy lies at `path` on `machine`. */
  atPath(machine: MachineName, path: RelativePath): Pair | undefined;
  /** The pairs of `machine` whose paths begin with `prefix`, found without looking at the others. */
  belowPath(machine: MachineName, prefix: string): Pair[];
  ofKey(key: Key): Pair[];
  deleteMachine(machine: MachineName): void;
  /** Calls `listener` after every `put` and `delete`, in the same turn. One listener; a later one takes its place. */
  onChange(listener: (machine: MachineName, key: Key) => void): void;
}

/** A kept content (contract of `versions --json`, minus `isHead`). */
export interface VersionRow {
  readonly version: number;
  readonly key: Key;
  readonly machine: MachineName;
  readonly at: UnixMs;
  readonly bytes: number;
  readonly sha256: Sha256;
  readonly reason: VersionReason;
  readonly executable: boolean;
  readonly mtimeMs: UnixMs;
}

export interface VersionTable {
  /** Numbers count up from 1 per key. An equal newest row (key, sha256, reason) is returned instead of doubled. */
  add(row: Omit<VersionRow, 'version'>): VersionRow;
  /** Newest first. */
  list(key: Key): VersionRow[];
  get(key: Key, version: number): VersionRow | undefined;
  /** Whether any row names this content. */
  holds(sha256: Sha256): boolean;
  deleteKey(key: Key): void;
  delete(key: Key, version: number): void;
  /** All rows, oldest first (retention). */
  all(): IterableIterator<VersionRow>;
  totalBytes(): number;
}

export type ConflictStatus = 'open' | 'resolved' | 'reversed';

/** One side of a conflict. */
export interface ConflictSide {
  readonly machine: MachineName;
  /** `null`: deleted there. */
  readonly sha256: Sha256 | null;
  readonly bytes: number;
  readonly mtimeMs: UnixMs;
}

export interface ConflictRow {
  readonly id: number;
  readonly key: Key;
  readonly at: UnixMs;
  readonly status: ConflictStatus;
  /** Common ancestor, where there is one. */
  readonly baseSha256: Sha256 | null;
  readonly sides: readonly ConflictSide[];
  /** What the hub did: `last-write-wins`, `manual`, `first-pairing`, `merged`. */
  readonly strategy: string;
  /** The machine whose side became the head, `null` while none did. */
  readonly winner: MachineName | null;
  readonly resolvedAt: UnixMs | null;
  /** `keep rog`, `merged`, ... */
  readonly resolution: string | null;
}

export interface ConflictTable {
  add(row: Omit<ConflictRow, 'id'>): ConflictRow;
  update(row: ConflictRow): void;
  get(id: number): ConflictRow | undefined;
  list(filter?: { readonly status?: ConflictStatus; readonly key?: Key }): ConflictRow[];
  openCount(): number;
}

/** One line of what was done: never content, only keys, sizes and outcomes. */
export interface SyncLogRow {
  readonly at: UnixMs;
  readonly key: Key;
  /** Where it came from; `null` when the hub itself acted. */
  readonly source: MachineName | null;
  readonly target: MachineName | null;
  readonly action:
    | 'commit'
    | 'append'
    | 'put'
    | 'remove'
    | 'move'
    | 'merge'
    | 'conflict'
    | 'evict'
    | 'cut'
    | 'refuse'
    | 'restore'
    | 'forget'
    | 'prune'
    | 'compare'
    | 'heal'
    | 'scan';
  readonly outcome: 'done' | 'failed' | 'refused';
  readonly bytes: number;
  readonly durationMs: number;
  readonly detail: string | null;
}

export interface SyncLogTable {
  add(row: SyncLogRow): void;
  recent(limit: number): SyncLogRow[];
  prune(before: UnixMs): void;
}

export interface MachineRow {
  readonly name: MachineName;
  readonly replicaId: string | null;
  readonly claudeDir: string | null;
  readonly home: string | null;
  readonly os: string | null;
  readonly status: 'online' | 'degraded' | 'offline' | 'paused' | 'quarantined';
  readonly reason: string | null;
  readonly lastSeenAt: UnixMs | null;
  readonly lastSyncAt: UnixMs | null;
  /** Set by `machines pause`, besides the configuration. */
  readonly paused: boolean;
  /** Quarantine survives restarts; `null` when not quarantined. */
  readonly quarantine: string | null;
  /** Whether the first pairing of this replica has been completed. */
  readonly paired: boolean;
  readonly connectionEpoch: number;
}

export interface MachineTable {
  get(name: MachineName): MachineRow | undefined;
  put(row: MachineRow): void;
  delete(name: MachineName): void;
  values(): IterableIterator<MachineRow>;
}

/** A replace in two renames that has begun on a machine (section 7); restored from undo when found open. */
export interface IntentRow {
  readonly id: number;
  readonly machine: MachineName;
  readonly path: RelativePath;
  readonly temp: string;
  readonly undo: string;
  readonly at: UnixMs;
}

export interface IntentTable {
  add(row: Omit<IntentRow, 'id'>): IntentRow;
  delete(id: number): void;
  ofMachine(machine: MachineName): IntentRow[];
}

/** A file put aside on a machine. */
export interface UndoRow {
  readonly machine: MachineName;
  /** File name below `.claude-sync/undo/`. */
  readonly name: string;
  readonly path: RelativePath;
  readonly size: number;
  readonly at: UnixMs;
}

export interface UndoTable {
  put(row: UndoRow): void;
  delete(machine: MachineName, name: string): void;
  ofMachine(machine: MachineName): UndoRow[];
}

/** A project as the hub knows it, and where it lies on each machine. */
export interface ProjectRow {
  /** Name used in keys, see core/projects. */
  readonly id: string;
  readonly remotes: readonly string[];
  readonly places: Readonly<Record<MachineName, readonly string[]>>;
}

export interface ProjectTable {
  get(id: string): ProjectRow | undefined;
  put(row: ProjectRow): void;
  values(): IterableIterator<ProjectRow>;
}

/** Executable content from a machine with trust `data`, waiting for the user. */
export interface ApprovalRow {
  readonly id: number;
  readonly key: Key;
  readonly machine: MachineName;
  readonly at: UnixMs;
  /** `null`: the machine deleted it. */
  readonly sha256: Sha256 | null;
  readonly bytes: number;
  readonly executable: boolean;
  readonly status: 'waiting' | 'accepted' | 'rejected';
}

export interface ApprovalTable {
  add(row: Omit<ApprovalRow, 'id'>): ApprovalRow;
  update(row: ApprovalRow): void;
  get(id: number): ApprovalRow | undefined;
  list(status?: ApprovalRow['status']): ApprovalRow[];
}

/** An open pull request as it was when GitHub was last asked. */
export interface PullRow {
  /** GitHub's own identity of it. */
  readonly id: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly number: number;
  readonly updatedAt: UnixMs;
  /** All of it; whoever reads it checks it first. */
  readonly json: string;
}

export interface PullTable {
  /** Writes nothing when the row is what it was. */
  put(row: PullRow): void;
  delete(id: string): void;
  values(): IterableIterator<PullRow>;
}

/** What a conversation says about its branches and pull requests. */
export interface SessionMarkRow {
  /** Uuid. */
  readonly session: string;
  /** Of the head that was read. */
  readonly seq: number;
  /** Last activity. */
  readonly at: UnixMs;
  /** Whoever reads it checks it first. */
  readonly json: string;
}

export interface SessionMarkTable {
  get(session: string): SessionMarkRow | undefined;
  put(row: SessionMarkRow): void;
  delete(session: string): void;
  values(): IterableIterator<SessionMarkRow>;
}

/** Figures over time; the rows are in the database only, apart from those that are not committed yet. */
export interface MetricTable {
  /** A point of the same resolution, machine and time is replaced. */
  put(resolution: ResolutionName, point: MetricPoint): void;
  /** Points with `from <= at < to`, oldest first, at most `limit`. Sees every `put` before it. */
  read(
    resolution: ResolutionName,
    range: { readonly machine: MachineName; readonly from: UnixMs; readonly to: UnixMs; readonly limit: number },
  ): MetricPoint[];
  /** Beginning of the newest point of any machine, `null` when there is none. */
  newestAt(resolution: ResolutionName): UnixMs | null;
  /** Removes the points that begin before `before`, and those that begin after `after`: the clock was wrong when they were made. */
  prune(resolution: ResolutionName, range: { readonly before: UnixMs; readonly after: UnixMs }): void;
}

/** What was counted since the database was made. */
export interface TotalsTable {
  /** Of one machine; zeros for one that nothing is known of. */
  of(machine: MachineName): Counts;
  /** Of all machines together, those among them that are gone from the configuration. */
  all(): Counts;
  add(machine: MachineName, more: Partial<Counts>): void;
}

/** Alerts, also those whose cause is gone, for a while. */
export interface AlertTable {
  put(alert: Alert): void;
  delete(id: string): void;
  values(): IterableIterator<Alert>;
}

/** The database cannot be written. Nothing was lost: the writes are kept in memory for the next try. */
export class StoreUnwritable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`the hub's database cannot be written: ${reason}`, { cause });
    this.name = 'StoreUnwritable';
  }
}
