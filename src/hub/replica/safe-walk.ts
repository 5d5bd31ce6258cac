import type { FileStat, Look, RelativePath } from '../../core/domain.ts';
import { unsafeReason } from '../../core/keys/safe-path.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { EntryStat, FileSystem } from '../ports/file-system.ts';
import { RootUnknown } from './followed-roots.ts';
import type { KnownFolders } from './known-folders.ts';
import { isPrivate } from './private-folder.ts';

/** What lies on the way to a path and at its end. */
export interface Walk {
  /** What the last component is, as far as it may be used at all. */
  readonly end: Look | { readonly kind: 'folder' };
  /** The first folder on the way that does not exist, or is a file; `null` when all are folders. */
  readonly firstMissingFolder: RelativePath | null;
}

/**
 * Looks at every component of `path` itself, from claudeDir down, without following anything: a symlink on the way could
 * lead a write out of claudeDir (docs/sync.md section 7). All looks are under way at once, so that over a network they cost
 * one round trip.
 *
 * With `known`, folders that were seen a moment ago are not looked at again, unless the file is not there. With `shared`, each folder is
 * looked at once for all walks that share them.
 *
 * claudeDir is one of the components. When it is gone everything in it is unknown, not absent: an unmounted home must not
 * read as a thousand deletes.
 */
export async function walk(
  fs: FileSystem,
  path: RelativePath,
  known: KnownFolders | null = null,
  shared: FolderLooks | null = null,
): Promise<Walk> {
  const refusal = refusedPath(path);
  if (refusal !== null) return refusal;
  const paths = componentsOf(path);
  if (known?.areKnown(paths.slice(0, -1)) === true) {
    const look = await lookAt(fs, path);
    if (look.kind === 'stat' && look.stat?.type === 'file')
      return { end: { kind: 'file', stat: fileStat(look.stat) }, firstMissingFolder: null };
    known.forget();
  }
  const looks = await Promise.all(paths.map((at) => (at === path || shared === null ? lookAt(fs, at) : lookOnce(at))));
  if (known !== null) {
    for (const [index, look] of looks.entries())
      if (look.kind === 'stat' && look.stat?.type === 'folder') known.note(paths[index] ?? '');
  }
  return judged(paths, looks);

  function lookOnce(folder: RelativePath): Promise<ComponentLook> {
    let look = shared?.get(folder);
    if (look === undefined) {
      look = lookAt(fs, folder);
      shared?.set(folder, look);
    }
    return look;
  }
}

/**
 * Looks at folders that walks to many files have in common, each of the moment when the first of them came by. A walk that ends in "absent" says so
 * of a folder that was there then: whoever shares looks has to see whether claudeDir still is.
 */
export type FolderLooks = Map<RelativePath, Promise<ComponentLook>>;

/** The walk to a path that is not looked at because of its name, else `null`. */
export function refusedPath(path: RelativePath): Walk | null {
  const unsafe =
    path === '' ? null : isPrivate(path) ? 'the folder belongs to Claude Sync Manager' : unsafeReason(path);
  return unsafe === null ? null : { end: { kind: 'refused', reason: unsafe }, firstMissingFolder: null };
}

/** claudeDir (''), every folder on the way, and the path itself. */
export function componentsOf(path: RelativePath): RelativePath[] {
  const names = path === '' ? [] : path.split('/');
  return ['', ...names.map((_, index) => names.slice(0, index + 1).join('/'))];
}

/** One look at one component. */
export type ComponentLook =
  { readonly kind: 'stat'; readonly stat: EntryStat | null } | { readonly kind: 'failed'; readonly reason: string };

/** What the looks at all `paths` (see `componentsOf`) together say. */
export function judged(paths: readonly RelativePath[], looks: readonly ComponentLook[]): Walk {
  for (const [index, look] of looks.entries()) {
    const at = paths[index] ?? '';
    const isEnd = index === looks.length - 1;
    if (look.kind === 'failed') return { end: { kind: 'unknown', reason: look.reason }, firstMissingFolder: null };
    const { stat } = look;
    if (stat === null) {
      if (index === 0)
        return { end: { kind: 'unknown', reason: 'the Claude folder is not there' }, firstMissingFolder: null };
      return { end: { kind: 'absent' }, firstMissingFolder: isEnd ? null : at };
    }
    if (isEnd) return { end: endOf(stat, at), firstMissingFolder: null };
    if (stat.type !== 'folder') {
      if (index === 0)
        return { end: { kind: 'unknown', reason: 'the Claude folder is not a folder' }, firstMissingFolder: null };
      const end = onTheWay(stat, at);
      return { end, firstMissingFolder: end.kind === 'absent' ? at : null };
    }
  }
  throw new Error('unreachable: a walk has at least one component');
}

/** What a walk says about the file at its end. */
export function lookOf(path: RelativePath, { end }: Walk): Look {
  return end.kind === 'folder' ? { kind: 'refused', reason: `${path} is a folder` } : end;
}

/** The facts of a file without those of its place. */
export function fileStat(stat: EntryStat): FileStat {
  return { size: stat.size, mtimeMs: stat.mtimeMs, inode: stat.inode, executable: stat.executable };
}

/** Whether a file is still the one that was verified. The executable bit does not count: it says nothing about bytes. */
export function isAsExpected(stat: EntryStat | FileStat, expect: FileStat): boolean {
  return stat.size === expect.size && stat.mtimeMs === expect.mtimeMs && isSameInode(stat, expect);
}

/** Whether two looks may have seen the same inode; unknown inodes may be any. */
export function isSameInode(a: { readonly inode: string }, b: { readonly inode: string }): boolean {
  return a.inode === '' || b.inode === '' || a.inode === b.inode;
}

/** What a look that failed says. @throws whatever is no failure of a file operation, and `disconnected`. */
export function failedLook(path: RelativePath, error: unknown): ComponentLook {
  if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
  if (error instanceof RootUnknown) return { kind: 'failed', reason: error.why };
  return { kind: 'failed', reason: `${path === '' ? 'the Claude folder' : path} cannot be looked at: ${error.code}` };
}

async function lookAt(fs: FileSystem, path: RelativePath): Promise<ComponentLook> {
  try {
    return { kind: 'stat', stat: await fs.lstat(path) };
  } catch (error) {
    return failedLook(path, error);
  }
}

function endOf(stat: EntryStat, at: RelativePath): Walk['end'] {
  if (stat.type === 'file') return { kind: 'file', stat: fileStat(stat) };
  if (stat.type === 'folder') return { kind: 'folder' };
  return onTheWay(stat, at);
}

function onTheWay(stat: EntryStat, at: RelativePath): Look {
  if (stat.type === 'symlink') return { kind: 'refused', reason: `${at} is a symlink` };
  // Nothing can be below a file.
  if (stat.type === 'file') return { kind: 'absent' };
  return { kind: 'refused', reason: `${at} is not a regular file` };
}
