import type { UnixMs } from '../../core/domain.ts';

/**
 * The few file operations that a replica is built from, with the semantics that POSIX and SFTP share.
 * The protocols of sync.md sections 6 and 7 are written once, over this port; local disks, SFTP and
 * the simulation implement it.
 *
 * Paths are `/`-separated and relative to the root the implementation was made for; '' is the root.
 * No operation follows a symlink in the last component.
 * Failures reject with `FileSystemError`.
 */
export interface FileSystem {
  /** Facts of the thing at `path` itself, or `null` when there is nothing (ENOENT, ENOTDIR). */
  lstat(path: string): Promise<EntryStat | null>;
  /** All entries of a folder, unsorted, without `.` and `..`. An entry that vanishes meanwhile is left out. */
  list(path: string): Promise<Entry[]>;
  /**
   * `read`: existing regular file. `append`: existing regular file; every write goes to its end (O_APPEND), reads are allowed.
   * `create`: must not exist (`exists` otherwise), mode 0600, written sequentially.
   */
  open(path: string, mode: 'read' | 'append' | 'create'): Promise<OpenFile>;
  /** Creates one folder, mode 0700. `exists` when something is there. */
  makeFolder(path: string): Promise<void>;
  /** Renames; fails with `exists` when `to` exists. Where the system cannot do this in one step, see the implementation. */
  rename(from: string, to: string): Promise<void>;
  /** Renames atomically over whatever file is at `to`. */
  renameOver(from: string, to: string): Promise<void>;
  /** Second name for a file; `exists`, or `unsupported` where the file system has no hard links. */
  hardLink(from: string, to: string): Promise<void>;
  /** Removes a file name (for our own temps and expired undo entries only). */
  unlink(path: string): Promise<void>;
  /** Removes an empty folder. */
  removeFolder(path: string): Promise<void>;
  setTimes(path: string, mtimeMs: UnixMs): Promise<void>;
  /** Makes the names in a folder (created, renamed, removed) survive a power failure; left out where that cannot be asked for. */
  syncFolder?(path: string): Promise<void>;
  /** Absolute path with symlinks resolved, `/`-separated; `null` when it does not exist. */
  realPath(path: string): Promise<string | null>;
  /** Space for this user on the volume of `path`; `null` where the system cannot tell. */
  space(path: string): Promise<{ freeBytes: number; totalBytes: number } | null>;
}

/**
 * An open file. Operations take effect in the order in which they are called, also when they are not awaited one by one
 * (so a remote implementation can pipeline them).
 */
export interface OpenFile {
  /** Up to `length` bytes from `position`; shorter only at the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  /** All of `bytes`: at the end (`append`), or behind what was written before (`create`). */
  write(bytes: Uint8Array): Promise<void>;
  stat(): Promise<EntryStat>;
  setTimes(mtimeMs: UnixMs): Promise<void>;
  setExecutable(executable: boolean): Promise<void>;
  /** To stable storage; a no-op where the other side cannot. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Facts of one file system entry. */
export interface EntryStat {
  readonly type: 'file' | 'folder' | 'symlink' | 'other';
  readonly size: number;
  readonly mtimeMs: UnixMs;
  /** Identity of the inode (device and number), '' where the system has none. */
  readonly inode: string;
  readonly executable: boolean;
}

/** One entry of a folder. */
export interface Entry extends EntryStat {
  readonly name: string;
}

/** What went wrong, in the few kinds that the protocols treat differently. */
export type FileSystemErrorCode =
  | 'missing'
  | 'exists'
  | 'not-empty'
  | 'denied'
  | 'no-space'
  | 'busy'
  | 'name-too-long'
  | 'unsupported'
  | 'not-a-file'
  | 'io'
  | 'disconnected';

/** Failure of one file operation. `disconnected` means that its outcome is unknown. */
export class FileSystemError extends Error {
  readonly code: FileSystemErrorCode;
  readonly path: string;

  constructor(code: FileSystemErrorCode, operation: string, path: string, cause?: unknown) {
    super(`${operation} ${path}: ${code}${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause });
    this.name = 'FileSystemError';
    this.code = code;
    this.path = path;
  }

  /** Whether `error` is a file system failure, of one of `codes` when any are given. */
  static is(error: unknown, ...codes: FileSystemErrorCode[]): error is FileSystemError {
    return error instanceof FileSystemError && (codes.length === 0 || codes.includes(error.code));
  }
}
