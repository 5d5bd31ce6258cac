import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { read as readCallback, fdatasync as fdatasyncCallback, write as writeCallback } from 'node:fs';
import { readdir, realpath, statfs } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, EntryStat, FileSystem, FileSystemErrorCode, OpenFile } from '../ports/file-system.ts';

const readAsync = promisify(readCallback);
const writeAsync = promisify(writeCallback);
const fdatasyncAsync = promisify(fdatasyncCallback);

/**
 * Transfers up to this many bytes are made on the spot: a thread pool hop costs more than copying them. Longer ones, and
 * everything that may wait for the disk, go to the pool, so that no other work of the hub waits.
 */
const ON_THE_SPOT_BYTES = 64 * 1024;

/** How many entries of a folder are looked at before other work gets its turn. */
const LISTED_PER_TURN = 256;

/**
 * The local disk below `root` (absolute; it may itself be a symlink).
 *
 * - Metadata calls are synchronous: on a local disk they take a few microseconds, a tenth of the way through the pool,
 *   and a guarded append is nothing but such calls.
 * - `rename` is hard link and unlink, because POSIX has no rename that refuses to overwrite. Another process that replaces
 *   `from` between the two loses its new file, so the protocols only ever call it with a `from` of their own (a temp or an
 *   undo entry). Where there are no hard links it is a look and a rename: then a file that appears in between (some
 *   microseconds) is overwritten.
 * - `inode` is device and number as doubles; where numbers exceed 2^53 two files may share one, which only weakens a check.
 */
export function createNodeFileSystem(root: string): FileSystem {
  const base = root.replaceAll('\\', '/').replace(/\/+$/, '');
  const at = (path: string): string =>
    path === '' ? `${base}/` : isAbsoluteOnDrive(base, path) ? path : `${base}/${path}`;

  return {
    lstat: async (path) => lstatOrNull(at(path), path),
    list: (path) => list(at(path), path),
    open: async (path, mode) => openNodeFile(at(path), path, mode),
    makeFolder: async (path) => {
      attempt('makeFolder', path, () => mkdirSync(at(path), { mode: 0o700 }));
    },
    rename: async (from, to) => {
      attempt('rename', from, () => renameWithoutOverwriting(at(from), at(to), to));
    },
    renameOver: async (from, to) => {
      attempt('renameOver', from, () => renameSync(at(from), at(to)));
    },
    hardLink: async (from, to) => {
      attempt('hardLink', from, () => {
        try {
          linkSync(at(from), at(to));
        } catch (error) {
          if (meansNoHardLinks(error)) throw new FileSystemError('unsupported', 'hardLink', from, error);
          throw error;
        }
      });
    },
    unlink: async (path) => {
      attempt('unlink', path, () => unlinkSync(at(path)));
    },
    removeFolder: async (path) => {
      attempt('removeFolder', path, () => rmdirSync(at(path)));
    },
    setTimes: async (path, mtimeMs) => {
      attempt('setTimes', path, () => lutimesSync(at(path), mtimeMs / 1000, mtimeMs / 1000));
    },
    realPath: async (path) => {
      try {
        return (await realpath(at(path))).replaceAll('\\', '/');
      } catch (error) {
        const failure = fileSystemError('realPath', path, error);
        if (failure.code === 'missing') return null;
        throw failure;
      }
    },
    space: async (path) => {
      try {
        const facts = await statfs(at(path));
        return { freeBytes: facts.bavail * facts.bsize, totalBytes: facts.blocks * facts.bsize };
      } catch (error) {
        throw fileSystemError('space', path, error);
      }
    },
  };
}

/** On Windows the file system that is rooted at '/' takes paths that begin with a drive. */
function isAbsoluteOnDrive(base: string, path: string): boolean {
  return base === '' && /^[A-Za-z]:\//.test(path);
}

function lstatOrNull(absolute: string, path: string): EntryStat | null {
  try {
    const stats = lstatSync(absolute, { throwIfNoEntry: false });
    return stats === undefined ? null : entryStat(stats);
  } catch (error) {
    const failure = fileSystemError('lstat', path, error);
    if (failure.code === 'missing') return null;
    throw failure;
  }
}

async function list(absolute: string, path: string): Promise<Entry[]> {
  let names: string[];
  try {
    names = await readdir(absolute);
  } catch (error) {
    throw fileSystemError('list', path, error);
  }
  const entries: Entry[] = [];
  for (const [index, name] of names.entries()) {
    if (index > 0 && index % LISTED_PER_TURN === 0) await nextTurn();
    const stat = lstatOrNull(`${absolute}/${name}`, `${path}/${name}`);
    if (stat !== null) entries.push({ name, ...stat });
    // A name that is no UTF-8 cannot be asked for again; it exists all the same and must not pass for absent.
    else if (name.includes('\uFFFD'))
      entries.push({ name, type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false });
  }
  return entries;
}

function renameWithoutOverwriting(from: string, to: string, path: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!meansNoHardLinks(error)) throw error;
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) throw new FileSystemError('exists', 'rename', path);
    renameSync(from, to);
    return;
  }
  unlinkSync(from);
}

function meansNoHardLinks(error: unknown): boolean {
  return ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EISDIR'].includes(errnoOf(error) ?? '');
}

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const NON_BLOCKING = constants.O_NONBLOCK ?? 0;

const OPEN_FLAGS = {
  // Non-blocking, or opening a FIFO that took the file's place would wait for a writer for ever.
  read: constants.O_RDONLY | NO_FOLLOW | NON_BLOCKING,
  append: constants.O_RDWR | constants.O_APPEND | NO_FOLLOW | NON_BLOCKING,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW,
} as const;

function openNodeFile(absolute: string, path: string, mode: 'read' | 'append' | 'create'): OpenFile {
  return attempt('open', path, () => {
    const descriptor = openSync(absolute, OPEN_FLAGS[mode], 0o600);
    try {
      if (!fstatSync(descriptor).isFile()) throw new FileSystemError('not-a-file', 'open', path);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return new NodeFile(descriptor, path);
  });
}

/** Runs its operations one after the other, in the order of the calls. */
class NodeFile implements OpenFile {
  readonly #descriptor: number;
  readonly #path: string;
  #tail: Promise<unknown> = Promise.resolve();
  #writeFailure: FileSystemError | null = null;
  #closed = false;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  read(position: number, length: number): Promise<Buffer> {
    return this.#next('read', async () => {
      const buffer = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const count =
          length <= ON_THE_SPOT_BYTES
            ? readSync(this.#descriptor, buffer, filled, length - filled, position + filled)
            : (await readAsync(this.#descriptor, buffer, filled, length - filled, position + filled)).bytesRead;
        if (count === 0) break;
        filled += count;
      }
      return filled === length ? buffer : buffer.subarray(0, filled);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#next('write', async () => {
      // Once a write fell short the next one would begin in the middle of a line.
      if (this.#writeFailure !== null) throw this.#writeFailure;
      try {
        let written = 0;
        while (written < bytes.byteLength) {
          const rest = bytes.byteLength - written;
          written +=
            rest <= ON_THE_SPOT_BYTES
              ? writeSync(this.#descriptor, bytes, written, rest)
              : (await writeAsync(this.#descriptor, bytes, written, rest)).bytesWritten;
        }
      } catch (error) {
        this.#writeFailure = fileSystemError('write', this.#path, error);
        throw this.#writeFailure;
      }
    });
  }

  stat(): Promise<EntryStat> {
    return this.#next('stat', async () => entryStat(fstatSync(this.#descriptor)));
  }

  setTimes(mtimeMs: number): Promise<void> {
    return this.#next('setTimes', async () => futimesSync(this.#descriptor, mtimeMs / 1000, mtimeMs / 1000));
  }

  setExecutable(executable: boolean): Promise<void> {
    return this.#next('setExecutable', async () => {
      const mode = fstatSync(this.#descriptor).mode & 0o777;
      // Who may read it may run it; nobody gets more than that.
      const runnable = mode | ((mode & 0o444) >> 2);
      fchmodSync(this.#descriptor, executable ? runnable : mode & ~0o111);
    });
  }

  sync(): Promise<void> {
    return this.#next('sync', () => fdatasyncAsync(this.#descriptor));
  }

  close(): Promise<void> {
    if (this.#closed) return this.#tail.then(() => undefined);
    const closing = this.#next('close', async () => closeSync(this.#descriptor));
    this.#closed = true;
    return closing;
  }

  #next<T>(operation: string, task: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new FileSystemError('io', operation, this.#path, new Error('already closed')));
    const result = this.#tail.then(task).catch((error: unknown) => {
      throw fileSystemError(operation, this.#path, error);
    });
    // The next operation waits for this one, whatever became of it; who called this one gets the error.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

function entryStat(stats: Stats): EntryStat {
  return {
    type: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'symlink' : 'other',
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    inode: `${stats.dev}-${stats.ino}`,
    executable: stats.isFile() && (stats.mode & 0o100) !== 0,
  };
}

function attempt<T>(operation: string, path: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    throw fileSystemError(operation, path, error);
  }
}

const CODES: Readonly<Record<string, FileSystemErrorCode>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EEXIST: 'exists',
  ENOTEMPTY: 'not-empty',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EBUSY: 'busy',
  ETXTBSY: 'busy',
  ENAMETOOLONG: 'name-too-long',
  ENOSYS: 'unsupported',
  ENOTSUP: 'unsupported',
  EOPNOTSUPP: 'unsupported',
  EXDEV: 'unsupported',
  ELOOP: 'not-a-file',
  EISDIR: 'not-a-file',
  ENXIO: 'not-a-file',
};

function fileSystemError(operation: string, path: string, error: unknown): FileSystemError {
  if (error instanceof FileSystemError) return error;
  return new FileSystemError(CODES[errnoOf(error) ?? ''] ?? 'io', operation, path, error);
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
