import type { FileStat, Key, RelativePath } from '../../core/domain.ts';
import { keyOfPlace, parsePath } from '../../core/keys/key.ts';
import { recordedFolders, tellingRanges } from '../../core/projects/recorded-folders.ts';
import { projectPathOf } from '../../core/projects/session-path.ts';
import type { Rules } from '../../core/rules/classify.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { scanTree } from '../replica/scan.ts';

/** What lies in a claudeDir. */
export interface Inventory {
  readonly files: ReadonlyMap<RelativePath, FileStat>;
  readonly bytes: number;
  readonly sessions: number;
  /** Project folders, the one with most conversations first. */
  readonly projects: readonly ProjectFolder[];
  /** What could not be listed, or is not carried as it is, and why. */
  readonly unreadable: ReadonlyMap<RelativePath, string>;
}

/** A folder below `projects/`. */
export interface ProjectFolder {
  readonly folder: string;
  readonly sessions: number;
  /** Working folder that its newest conversation records; `null` when none was read or none says. */
  readonly path: string | null;
}

/** Of so many project folders a conversation is read. */
const READ_PROJECTS = 64;
const READ_AT_ONCE = 8;

/**
 * Lists what is synced of a claudeDir, and reads the beginning and end of one conversation of each project folder (the busiest ones).
 * @param fs rooted at claudeDir. @throws {FileSystemError} only when the connection is gone.
 */
export async function takeInventory(fs: FileSystem, rules: Rules, clock: Clock): Promise<Inventory> {
  const wanted = (path: string): boolean =>
    path.endsWith('/') ? rules.folderWanted(path) : rules.ofPath(path).allowed;
  const scan = await scanTree(fs, '', wanted, clock.now());
  let bytes = 0;
  let sessions = 0;
  const folders = new Map<string, { sessions: number; newest: { path: RelativePath; stat: FileStat } | null }>();
  for (const [path, stat] of scan.files) {
    bytes += stat.size;
    const at = parsePath(path);
    if (at.kind !== 'transcript' && at.kind !== 'project-file') continue;
    const folder = folders.get(at.folder) ?? { sessions: 0, newest: null };
    folders.set(at.folder, folder);
    if (at.kind !== 'transcript') continue;
    sessions += 1;
    folder.sessions += 1;
    if (folder.newest === null || folder.newest.stat.mtimeMs < stat.mtimeMs) folder.newest = { path, stat };
  }
  const busiest = [...folders].sort(([, one], [, other]) => other.sessions - one.sessions);
  const paths = new Map<string, string | null>();
  await eachAtOnce(busiest.slice(0, READ_PROJECTS), async ([folder, { newest }]) => {
    if (newest !== null) paths.set(folder, await workingFolder(fs, folder, newest.path, newest.stat.size));
  });
  return {
    files: scan.files,
    bytes,
    sessions,
    projects: busiest.map(([folder, { sessions: own }]) => ({
      folder,
      sessions: own,
      path: paths.get(folder) ?? null,
    })),
    unreadable: new Map([...scan.unlisted, ...scan.refused]),
  };
}

/**
 * The files by key. A file of a project (its memory) has one only when its project is known.
 * @param projectOf project id of a folder below `projects/`.
 */
export function filesByKey(
  files: ReadonlyMap<RelativePath, FileStat>,
  projectOf: (folder: string) => string | null,
): {
  readonly there: ReadonlyMap<Key, FileStat & { readonly path: RelativePath }>;
  readonly unplaced: { readonly files: number; readonly bytes: number };
} {
  const there = new Map<Key, FileStat & { readonly path: RelativePath }>();
  const unplaced = { files: 0, bytes: 0 };
  for (const [path, stat] of files) {
    const key = keyAt(path, projectOf);
    if (key !== null) there.set(key, { ...stat, path });
    else {
      unplaced.files += 1;
      unplaced.bytes += stat.size;
    }
  }
  return { there, unplaced };
}

function keyAt(path: RelativePath, projectOf: (folder: string) => string | null): Key | null {
  const at = parsePath(path);
  return keyOfPlace(at, at.kind === 'project-file' ? projectOf(at.folder) : null);
}

async function workingFolder(fs: FileSystem, folder: string, path: RelativePath, size: number): Promise<string | null> {
  try {
    const file = await fs.open(path, 'read');
    try {
      const pieces: string[] = [];
      for (const [from, to] of tellingRanges(size)) pieces.push((await file.read(from, to - from)).toString('utf8'));
      return projectPathOf(folder, recordedFolders(pieces));
    } finally {
      await file.close();
    }
  } catch (error) {
    // One that cannot be read leaves its project without a name here, no more.
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
}

async function eachAtOnce<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  let index = 0;
  const lane = async (): Promise<void> => {
    while (index < items.length) {
      const item = items[index++];
      if (item !== undefined) await task(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, items.length) }, lane));
}
