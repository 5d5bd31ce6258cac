import type { Staged } from '../archive/archive.ts';
import type { ContentFacts } from './many/content-facts.ts';
import type { FileStat, Look, MachineName, MachineOs, RelativePath, Sha256, UnixMs } from '../../core/domain.ts';

/**
 * One machine's `.claude` tree as the engine sees it. The same interface serves a local folder, a machine over SSH
 * and the simulation; the guarded writes behind it are the protocols of sync.md sections 6 and 7.
 *
 * Every method rejects with `ReplicaUnreachable` when the machine cannot be reached. After a write, that means that the
 * outcome is unknown and the path has to be looked at again. Where something has to be written for the hub's own sake (connecting, the
 * clock, locks) a full disk there is a `ReplicaFull`; the guarded writes refuse with `no-space` instead.
 */
export interface Replica {
  readonly machine: MachineName;
  readonly os: MachineOs;
  /** Absolute home folder of the user there, `/`-separated; known after `connect`. */
  readonly home: string;
  /** Absolute claudeDir there, `/`-separated, symlinks resolved. */
  readonly claudeDir: string;
  /** Whether a request may still be carried out after its connection is gone (a queue on the other side). */
  readonly answersLate: boolean;
  /** What watches it: `inotify` (this computer, Linux), `chokidar` (elsewhere), `inotifywait`, `fswatch`, `poll`, or two of them. */
  readonly watcher: string;
  /**
   * Longest line in bytes that `append` can add in one step that no other writer gets into; a longer one has to come with a `put`.
   * `Infinity` on this computer.
   */
  readonly longestAppend: number;

  /**
   * Files that are best given to `createMany` and `fetchMany` at once, when there are so many. More at a time make what comes behind them
   * wait for longer.
   */
  readonly manyAtOnce: number;

  /** Tells once for each connection that it ended by itself, also while nothing was asked of it; left out where there is none. */
  onLost?(listener: (error: ReplicaUnreachable) => void): void;
  /** Tells how many bytes the transfers of many files that are under way have moved so far; left out where nobody can tell. */
  onProgress?(listener: (bytes: number) => void): void;

  /**
   * Reaches the machine, makes `.claude-sync/`, removes temps of older epochs and restores from open intents. Rejects with
   * `OtherHubPresent`, before anything of the kind, when another hub syncs this folder.
   */
  connect(): Promise<void>;
  close(): Promise<void>;

  /** Says again that this hub syncs this folder; every minute. Rejects with `OtherHubPresent` when another one does so, too. */
  renewHubMark(): Promise<void>;
  /** Takes that back: this hub is about to end. */
  withdrawHubMark(): Promise<void>;

  /** Machine clock minus hub clock, in ms. */
  clockOffset(): Promise<number>;

  /** The replica id in `.claude-sync/replica-id`, or `null` when there is none. */
  readMarker(): Promise<string | null>;
  /** Writes the replica id; fails when there is one already. */
  writeMarker(id: string): Promise<void>;
  /** Puts another replica id in the place of `old`. @returns whether `old` was there; nothing is changed otherwise. */
  replaceMarker(old: string, id: string): Promise<boolean>;

  /**
   * Tells `onHint` about changed paths until closed. Hints may be late, doubled or wrong, never trusted.
   * A hint for a folder (`kind: 'folder'`) asks for a scan of it, one for '' for a full scan.
   */
  watch(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void>;

  /** One look at one path: lstat of every component. */
  look(path: RelativePath): Promise<Look>;

  /** `look` at many paths, in their order. */
  lookMany(paths: readonly RelativePath[]): Promise<readonly Look[]>;

  /**
   * Lists everything below `folder` ('' = all) that `wanted` lets through. `wanted` is asked for folders too
   * (with a trailing `/`): a folder it refuses is not entered.
   */
  scan(folder: RelativePath, wanted: (path: string) => boolean): Promise<Scan>;

  /** Bytes `[from, to)` in chunks of at most 1 MiB; ends early when the file is shorter. */
  read(path: RelativePath, from: number, to: number): AsyncIterable<Buffer>;

  /** Append protocol (section 6): nothing is written unless the file is as `expect` says. */
  append(path: RelativePath, request: AppendRequest): Promise<WriteOutcome>;
  /** Create or replace (section 7). */
  put(path: RelativePath, request: PutRequest): Promise<WriteOutcome>;
  /**
   * Creates many files, each guarded as `put` guards it where nothing is expected to be; outcomes in the order of the requests.
   * An implementation may carry them together (a thread with synchronous calls here, rsync over a network); `waiting` says
   * how many more are to come, that is, what is worth preparing for.
   */
  createMany(requests: readonly CreateRequest[], waiting: number): Promise<readonly WriteOutcome[]>;
  /**
   * Copies many whole files into the hub's staging; results in the order of the requests. `null`, with nothing kept, for a file
   * that was not the same before and after, is not there, is no file that may be read, or is longer than `FETCH_LIMIT_BYTES`.
   */
  fetchMany(requests: readonly FetchRequest[], intake: Intake, waiting: number): Promise<readonly (Fetched | null)[]>;
  /** Moves the file into undo (section 7). */
  remove(path: RelativePath, request: RemoveRequest): Promise<WriteOutcome>;
  /** Renames a file within the tree; fails when `to` exists. */
  move(from: RelativePath, to: RelativePath, request: { readonly expect: FileStat }): Promise<WriteOutcome>;

  /**
   * Takes the lock folder `<path>.lock` as the CLI does for `history.jsonl` (stale after 10 s), or `null` when somebody else has it.
   * @returns a function that gives it back.
   */
  lock(path: RelativePath): Promise<(() => Promise<void>) | null>;

  /** Undo entries whose bytes changed after they were put aside, i.e. that a late writer still held open. */
  lateWrites(): Promise<LateWrite[]>;
  /** Bytes `[from, to)` of an undo entry. */
  readUndo(name: string, from: number, to: number): AsyncIterable<Buffer>;
  /** Marks an undo entry as handled up to `size` bytes. */
  acknowledgeUndo(name: string, size: number): void;
  /** Removes undo entries at once, by the path they were put aside from and the time: what the user had forgotten is not to be undone. */
  dropUndo(isWanted: (path: RelativePath, at: UnixMs) => boolean): Promise<void>;
  /** Removes undo entries older than `before` whose sessions are not live. */
  expireUndo(before: UnixMs, isLive: (path: RelativePath) => boolean): Promise<void>;

  /** Sessions that a running CLI has open there, see `LivenessProbe`. */
  liveSessions(clockOffsetMs: number): Promise<ReadonlySet<string>>;
  /**
   * SHA-256 of many files, hashed where they are; files that are gone or unreadable are left out. `null` where the machine cannot; left out
   * on this computer, where reading costs no more. Says nothing of what lies at a path: only for files that were looked at.
   */
  hashes?(paths: readonly RelativePath[]): Promise<ReadonlyMap<RelativePath, Sha256> | null>;
  /** A small regular file anywhere on the machine (git configuration of a recorded cwd): at most 1 MiB, else `null`. */
  readOutside(absolutePath: string): Promise<Buffer | null>;
  /** Space on the volume of claudeDir, `null` where it cannot be told. */
  space(): Promise<{ freeBytes: number; totalBytes: number } | null>;
}

/** A reason to look at a path again. */
export interface Hint {
  readonly path: RelativePath;
  readonly kind: 'file' | 'folder';
}

/** Result of one listing. What is in `unlisted` is unknown, never absent. */
export interface Scan {
  readonly files: ReadonlyMap<RelativePath, FileStat>;
  /** Folders that could not be listed, with the reason; everything below them is unknown. */
  readonly unlisted: ReadonlyMap<RelativePath, string>;
  /** Things that are not carried: symlinks, devices, names that are not allowed. With the reason. */
  readonly refused: ReadonlyMap<RelativePath, string>;
  /** When the listing began; a file whose mtime is within 2 s of it has to be looked at again. */
  readonly startedAt: UnixMs;
}

/** Precondition of a write: the file as last verified, or that nothing is there. */
export type Expectation =
  | { readonly kind: 'absent' }
  /** `sha256`: checked as well where size and time may not tell (times in whole seconds). */
  | { readonly kind: 'file'; readonly stat: FileStat; readonly sha256?: Sha256 | null };

/** Guarded append of whole lines. */
export interface AppendRequest {
  readonly expect: FileStat;
  /** Whole lines (after `completes`, if that is set, the rest of one first). */
  readonly bytes: Buffer;
  /** mtime to set: the last activity, never in the target's future. */
  readonly mtimeMs: UnixMs;
}

/** Guarded create or replace. */
export interface PutRequest {
  readonly expect: Expectation;
  /** Called once, or once more after a failed try. */
  readonly content: () => AsyncIterable<Buffer>;
  /** See `CreateRequest.source`; for large files of which only a part may have to be sent. */
  readonly source?: string | null;
  /** Of the content, where it is known. */
  readonly sha256?: Sha256 | null;
  readonly size: number;
  readonly mtimeMs: UnixMs;
  readonly executable: boolean;
  /**
   * `swap`: hard link to undo, then rename over, so that the name is never missing (transcripts).
   * `exchange`: rename to undo, then rename into place without overwriting (everything else).
   */
  readonly how: 'swap' | 'exchange';
}

/** One of many files that are created together. */
export interface CreateRequest {
  readonly path: RelativePath;
  /** See `PutRequest`. */
  readonly content: () => AsyncIterable<Buffer>;
  /**
   * Absolute path of a plain file on the hub's disk whose first `size` bytes are the content, which then need not go through
   * the hub; `null` where there is none.
   */
  readonly source: string | null;
  readonly size: number;
  /** Checked before the file gets its name, where it is known. */
  readonly sha256: Sha256 | null;
  readonly mtimeMs: UnixMs;
  readonly executable: boolean;
}

/** One of many files that are read together. */
export interface FetchRequest {
  readonly path: RelativePath;
  /** Whether the working folders that it records are asked for as well. */
  readonly isTranscript: boolean;
  /** Absolute path of the hub's file that the content is for: the folder of that may be made on the way. */
  readonly destination: string | null;
}

/** Where content that is read from a machine goes. The hub's archive is one. */
export interface Intake {
  /** Absolute path of a new file that may be made for `staged`; `null` where content has to come through `stage`. */
  readonly place: ((name: string) => string) | null;
  /** A name that nobody else uses. */
  newName(): string;
  stage(content: AsyncIterable<Uint8Array>): Promise<Staged>;
  discard(staged: Staged): Promise<void>;
}

/** Longer files are not fetched together with others. */
export const FETCH_LIMIT_BYTES = 64 * 1024 * 1024;

/** A whole file, in the hub's staging. */
export interface Fetched {
  readonly staged: Staged;
  readonly stat: FileStat;
  readonly facts: ContentFacts;
  /** See `recordedFolders`; `null` when they were not looked for. */
  readonly folders: readonly string[] | null;
  /** Whether the folder of the destination was made, or was there. */
  readonly hasFolder: boolean;
}

/** Guarded removal into undo. */
export interface RemoveRequest {
  readonly expect: FileStat;
  /** See `Expectation`. */
  readonly sha256?: Sha256 | null;
}

/** What became of a guarded write. */
export type WriteOutcome =
  /** Done and read back: the bytes there are the bytes asked for. */
  | { readonly kind: 'done'; readonly stat: FileStat }
  /**
   * The file was not as expected, or something else wrote meanwhile: look again. Nothing of anybody's was overwritten. `written`: the bytes of
   * an append stand there all the same, somewhere behind what was expected, or did so for a moment.
   */
  | { readonly kind: 'changed'; readonly written?: true }
  /** It cannot be done there; `reason` is for the user. Nothing was changed. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason: string };

/** Why a machine cannot take a write. */
export type RefusalCode = 'no-hard-links' | 'no-space' | 'denied' | 'busy' | 'unsafe-path' | 'name-collision' | 'io';

/** Bytes that arrived in a file after it was put aside. */
export interface LateWrite {
  readonly name: string;
  readonly path: RelativePath;
  /** Bytes of it that are known already. */
  readonly known: number;
  readonly size: number;
}

/**
 * The machine's own disk has no room left for what the hub has to keep there (its folder, a temp, a lock). Not the hub's disk: a failure
 * of that one stays a `FileSystemError`. Nothing was changed; the machine can still be read.
 */
export class ReplicaFull extends Error {
  readonly machine: MachineName;

  constructor(machine: MachineName, reason: string, cause?: unknown) {
    super(`the disk of ${machine} is full or its quota is used up (${reason}); make room there, it goes on by itself`, {
      cause,
    });
    this.name = 'ReplicaFull';
    this.machine = machine;
  }
}

/** The machine cannot be reached (now). The engine retries with backoff. */
export class ReplicaUnreachable extends Error {
  readonly machine: MachineName;

  constructor(machine: MachineName, reason: string, cause?: unknown) {
    super(`${machine} cannot be reached: ${reason}`, { cause });
    this.name = 'ReplicaUnreachable';
    this.machine = machine;
  }
}
