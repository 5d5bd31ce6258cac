import { linkSync, lstatSync, lutimesSync, readdirSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { mkdir, realpath, statfs } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, EntryStat, FileSystem } from '../ports/file-system.ts';
import { attempt, entryStat, errnoOf, fileSystemError } from './node-facts.ts';
import { createNodeFile, openNodeFile } from './node-file.ts';

/** How many entries of a folder are looked at before other work gets its turn. */
const LISTED_PER_TURN = 256;

/**
 * The local disk below `root` (absolute; it may itself be a symlink).
 *
 * - Metadata calls are synchronous: on a local disk they take a few microseconds, a tenth of the way through the pool,
 *   and a guarded append is nothing but such calls. Making files and folders is not: it takes a hundred times as long.
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
    open: async (path, mode) =>
      mode === 'create' ? createNodeFile(at(path), path) : openNodeFile(at(path), path, mode),
    makeFolder: async (path) => {
      try {
        await mkdir(at(path), { mode: 0o700 });
      } catch (error) {
        throw fileSystemError('makeFolder', path, error);
      }
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

/** Facts of an entry, `null` when there is none. @throws {FileSystemError} */
export function lstatOrNull(absolute: string, path: string): EntryStat | null {
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
    names = readdirSync(absolute);
  } catch (error) {
    throw fileSystemError('list', path, error);
  }
  const entries: Entry[] = [];
  for (const [index, name] of names.entries()) {
    if (index > 0 && index % LISTED_PER_TURN === 0) await nextTurn();
    const entry = entryOf(absolute, path, name);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** All entries of a folder with synchronous calls, for a thread that does nothing else. @throws {FileSystemError} */
export function listNow(absolute: string, path: string): Entry[] {
  return attempt('list', path, () => readdirSync(absolute)).flatMap((name) => entryOf(absolute, path, name) ?? []);
}

/** `null` when it vanished since its name was read. */
function entryOf(absolute: string, path: string, name: string): Entry | null {
  const stat = lstatOrNull(`${absolute}/${name}`, `${path}/${name}`);
  if (stat !== null) return { name, ...stat };
  // A name that is no UTF-8 cannot be asked for again; it exists all the same and must not pass for absent.
  if (name.includes('\uFFFD')) return { name, type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false };
  return null;
}

/** See `createNodeFileSystem`: hard link and unlink. `path` is what `to` is called in an error. */
export function renameWithoutOverwriting(from: string, to: string, path: string): void {
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
