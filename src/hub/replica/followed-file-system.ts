import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, FileSystem } from '../ports/file-system.ts';
import type { FollowedRoots } from './followed-roots.ts';

/**
 * A claudeDir in which the followed roots are what they lead to. Every other path, and every link below a root, is as it was. A file
 * that is replaced is replaced where the root leads; the link itself is never touched.
 *
 * @param fs rooted at `claudeDir` (absolute, symlinks resolved).
 * @param outside rooted at '/'.
 */
export function createFollowedFileSystem(
  fs: FileSystem,
  outside: FileSystem,
  claudeDir: string,
  roots: FollowedRoots,
): FileSystem {
  const base = claudeDir.replace(/\/+$/, '');

  /** Runs `task` where `path` lies; failures name the path in the tree. */
  async function at<T>(path: RelativePath, task: (where: FileSystem, there: string) => Promise<T>): Promise<T> {
    const place = roots.place(path);
    if (place === null) return task(fs, path);
    try {
      return await task(outside, place.slice(1));
    } catch (error) {
      if (!FileSystemError.is(error)) throw error;
      throw new FileSystemError(error.code, 'follow', path, error);
    }
  }

  /** For two paths at once: when one of them lies elsewhere, both are named from '/'. */
  async function atBoth<T>(
    from: RelativePath,
    to: RelativePath,
    task: (where: FileSystem, from: string, to: string) => Promise<T>,
  ): Promise<T> {
    const [placeFrom, placeTo] = [roots.place(from), roots.place(to)];
    if (placeFrom === null && placeTo === null) return task(fs, from, to);
    return task(outside, (placeFrom ?? `${base}/${from}`).slice(1), (placeTo ?? `${base}/${to}`).slice(1));
  }

  return {
    lstat: async (path) => (await roots.stat(path)) ?? (await at(path, (where, there) => where.lstat(there))),
    async list(path) {
      // A root that cannot be told is not listed as empty.
      await roots.stat(path);
      const entries = await at(path, (where, there) => where.list(there));
      return Promise.all(entries.map((entry) => asFollowed(path, entry)));
    },
    open: (path, mode) => at(path, (where, there) => where.open(there, mode)),
    makeFolder: (path) => at(path, (where, there) => where.makeFolder(there)),
    rename: (from, to) => atBoth(from, to, (where, a, b) => where.rename(a, b)),
    renameOver: (from, to) => atBoth(from, to, (where, a, b) => where.renameOver(a, b)),
    hardLink: (from, to) => atBoth(from, to, (where, a, b) => where.hardLink(a, b)),
    unlink: (path) => at(path, (where, there) => where.unlink(there)),
    removeFolder: (path) => at(path, (where, there) => where.removeFolder(there)),
    setTimes: (path, mtimeMs) => at(path, (where, there) => where.setTimes(there, mtimeMs)),
    ...(fs.syncFolder === undefined
      ? {}
      : { syncFolder: (path: string) => at(path, async (where, there) => where.syncFolder?.(there)) }),
    realPath: (path) => at(path, (where, there) => where.realPath(there)),
    space: (path) => at(path, (where, there) => where.space(there)),
  };

  /** An entry of a folder, seen through the link when it is a followed root. */
  async function asFollowed(folder: RelativePath, entry: Entry): Promise<Entry> {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.type !== 'symlink' || roots.rootOf(path) !== path) return entry;
    try {
      return { ...entry, ...(await roots.stat(path)) };
    } catch (error) {
      if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
      // As a folder, whose own listing then says that nothing is known; as a file it would be one that changed.
      return roots.leadsToFolder(path) ? { ...entry, type: 'folder' } : entry;
    }
  }
}
