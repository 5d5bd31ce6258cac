/**
 * The words of the product, as types. Everything else is built from these.
 * A term means here exactly what docs/sync.md says it means.
 */

/** Name of a machine as the configuration spells it, e.g. `rog`. */
export type MachineName = string;

/**
 * Machine-independent name of a file: `session/<uuid>`, `session/<uuid>/<sidecar path>`,
 * `project/<project>/...`, `history`, else the path below claudeDir (`agents/a.md`).
 * Always `/`-separated, never absolute, never with `.` or `..`.
 */
export type Key = string;

/** Path of a file on one machine, relative to its claudeDir, `/`-separated on every OS. */
export type RelativePath = string;

/** SHA-256 in lower-case hex. */
export type Sha256 = string;

/** Milliseconds since the Unix epoch. */
export type UnixMs = number;

/** How two changed copies of a file become one (column `merge` of the path table). */
export type MergeKind = 'log' | 'union' | 'text' | 'keys' | 'lww';

/** What a confirmed delete on one machine means (column `delete` of the path table). */
export type DeleteKind = 'evict' | 'tombstone';

/** Column `class` of the path table. */
export type PathClass =
  'transcript' | 'sidechain' | 'sidecar' | 'history' | 'blob' | 'document' | 'settings' | 'secret' | 'local' | 'cache';

/** Column `sync`: `no` = off unless an opt-in class includes it; `never` = not even then. */
export type SyncKind = 'yes' | 'no' | 'never';

/** Operating system families the product distinguishes. */
export type MachineOs = 'linux' | 'macos' | 'windows';

/**
 * The hub's canonical content of a key. A tombstone is a head too: the agreed content is "absent".
 */
export interface Head {
  readonly key: Key;
  /** The hub's sequence number at which this content became the head; unique and increasing over all keys. */
  readonly seq: number;
  readonly kind: 'file' | 'tombstone';
  /** Bytes in the archive; 0 for a tombstone. */
  readonly size: number;
  /** Content hash; `null` for logs (their identity is their bytes so far, see segment hashes) and tombstones. */
  readonly hash: Sha256 | null;
  /** Last activity, in the hub's clock; what the copies get as their mtime. */
  readonly mtimeMs: UnixMs;
  readonly executable: boolean;
  /** The machine whose change made this head. */
  readonly origin: MachineName;
}

/**
 * How far one copy of a log and its head have become the same.
 * All numbers are byte offsets that lie just after a newline (or 0).
 */
export interface LogCursor {
  /** Up to the last newline of the machine's file when it was last verified. */
  readonly lineBytes: number;
  /** How much of the machine's file is already in the head (or in its fork). */
  readonly merged: number;
  /** Every head byte before this offset is in the machine's file, in whatever order. */
  readonly delivered: number;
  /** Verified common prefix of file and head; equals `merged` and `delivered` while the copy is a prefix of the head. */
  readonly common: number;
  /** When set, growth of this copy belongs to the fork with this key, not to the head (compacted divergence). */
  readonly forkKey: Key | null;
  /** Ranges of the head before `delivered` that this copy lacks (only while it has diverged), ascending. */
  readonly missing: readonly ByteRange[];
  /** The copy was cut (a withdrawn message): what is missing is not pushed back while the session is live there. */
  readonly cut: boolean;
  /** Hash of the last bytes (at most `TAIL_CHECK_BYTES`) before `lineBytes`: growth is trusted only behind the same bytes. */
  readonly tailHash: string | null;
  /** Key `history` only: how much of each origin's lines this machine has, in bytes of the origin's head. */
  readonly origins: Readonly<Record<MachineName, number>> | null;
}

/** Bytes `[from, to)`. */
export type ByteRange = readonly [from: number, to: number];

/**
 * What was last *verified* to be on a machine for a key. Plans compare against this, never against hopes.
 */
export interface Base {
  /** `seq` of the head that the copy was last brought level with. */
  readonly seq: number;
  /** `absent`: the machine is known to have acknowledged a tombstone. */
  readonly kind: 'file' | 'absent';
  readonly hash: Sha256 | null;
  /** File size in bytes, torn tail included. */
  readonly fileBytes: number;
  readonly mtimeMs: UnixMs;
  /** Identity of the inode where the file system has one; the empty string otherwise. */
  readonly inode: string;
  readonly executable: boolean;
  /** Logs only. */
  readonly cursor: LogCursor | null;
}

/** Why a key is not level on a machine although nothing is pending there. */
export type PairState = 'ok' | 'held' | 'deferred-live' | 'manual' | 'failed';

/** All the hub knows about one key on one machine (a row of table `files`). */
export interface Pair {
  readonly machine: MachineName;
  readonly key: Key;
  /** Where the copy lies, or where it would be created. */
  readonly path: RelativePath;
  readonly base: Base | null;
  /** The head's seq when the copy was found evicted: nothing is pushed while the head is still that one. */
  readonly evictedSeq: number | null;
  readonly state: PairState;
  /** One sentence for the user; `null` when `state` is `ok`. */
  readonly reason: string | null;
}

/** Facts a file system tells about a regular file. */
export interface FileStat {
  readonly size: number;
  readonly mtimeMs: UnixMs;
  readonly inode: string;
  readonly executable: boolean;
}

/**
 * What one look at one path found. `unknown` is never treated as `absent` (sync.md section 3, rule 1).
 */
export type Look =
  | { readonly kind: 'file'; readonly stat: FileStat }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Why a version was kept (contract of `versions --json`). */
export type VersionReason = 'overwritten' | 'deleted' | 'lost-conflict' | 'merged' | 'cut' | 'torn' | 'quarantined';
