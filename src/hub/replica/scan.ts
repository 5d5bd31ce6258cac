import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileStat, RelativePath, UnixMs } from '../../core/domain.ts';
import { unsafeReason } from '../../core/keys/safe-path.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, FileSystem } from '../ports/file-system.ts';
import { RootUnknown } from './followed-roots.ts';
import { PRIVATE_FOLDER, isPrivate } from './private-folder.ts';
import type { Scan } from './replica.ts';
import { fileStat, walk } from './safe-walk.ts';

/** Ways to list a tree that not every file system has. */
export interface ScanWays {
  /** Told of the folders that are listed next, see `WatchSource`. */
  readonly cover?: (folders: readonly RelativePath[]) => void;
  /** Lists many folders at once, in their order; `null` when these are not worth it or it did not work. */
  readonly listMany?: (folders: readonly RelativePath[]) => Promise<readonly FolderListing[] | null>;
}

/** What a folder holds, or why that is not known. */
export type FolderListing = readonly Entry[] | FileSystemError;

/** How many folders are listed at once. */
const LISTINGS_AT_ONCE = 16;
/** How many entries are judged before other work gets its turn. */
const TAKEN_PER_TURN = 512;

/**
 * Lists everything below `folder` that `wanted` lets through, breadth first. A folder that vanishes meanwhile is absent; one
 * that cannot be listed is unknown, and so is everything below it (docs/sync.md section 3, rule 1).
 * @param startedAt goes into the result.
 * @throws {FileSystemError} only when the connection is gone.
 */
export async function scanTree(
  fs: FileSystem,
  folder: RelativePath,
  wanted: (path: string) => boolean,
  startedAt: UnixMs,
  ways: ScanWays = {},
): Promise<Scan> {
  const files = new Map<RelativePath, FileStat>();
  const unlisted = new Map<RelativePath, string>();
  const refused = new Map<RelativePath, string>();
  const scan: Scan = { files, unlisted, refused, startedAt };

  const { end } = await walk(fs, folder);
  if (end.kind === 'refused') refused.set(folder, end.reason);
  else if (end.kind === 'unknown') unlisted.set(folder, end.reason);
  else if (end.kind === 'file' && wanted(folder)) files.set(folder, end.stat);
  if (end.kind !== 'folder') return scan;

  let level: RelativePath[] = [folder];
  while (level.length > 0) {
    const next: RelativePath[] = [];
    ways.cover?.(level);
    const listings = (await ways.listMany?.(level)) ?? null;
    if (listings === null) await takeOneByOne(level, next);
    else await takeAll(level, listings, next);
    level = next;
  }
  return scan;

  async function takeOneByOne(folders: readonly RelativePath[], next: RelativePath[]): Promise<void> {
    await eachAtOnce(folders, LISTINGS_AT_ONCE, async (at) => {
      for (const entry of await listed(at)) take(at, entry, next);
    });
  }

  async function takeAll(
    folders: readonly RelativePath[],
    listings: readonly FolderListing[],
    next: RelativePath[],
  ): Promise<void> {
    let taken = 0;
    for (const [index, at] of folders.entries()) {
      const listing = listings[index];
      // A listing that is missing is not an empty one.
      const entries = listing === undefined ? await listed(at) : entriesOf(at, listing);
      for (const entry of entries) take(at, entry, next);
      taken += entries.length;
      if (taken < TAKEN_PER_TURN) continue;
      taken = 0;
      await nextTurn();
    }
  }

  async function listed(at: RelativePath): Promise<readonly Entry[]> {
    try {
      return await fs.list(at);
    } catch (error) {
      if (!FileSystemError.is(error)) throw error;
      return entriesOf(at, error);
    }
  }

  function entriesOf(at: RelativePath, listing: FolderListing): readonly Entry[] {
    if (!(listing instanceof FileSystemError)) return listing;
    if (listing.code === 'disconnected') throw listing;
    // claudeDir itself was there a moment ago; that it vanished is no statement about what was in it.
    if (listing.code !== 'missing' || at === '')
      unlisted.set(at, listing instanceof RootUnknown ? listing.why : `it cannot be listed: ${listing.code}`);
    return [];
  }

  function take(at: RelativePath, entry: Entry, next: RelativePath[]): void {
    const path = at === '' ? entry.name : `${at}/${entry.name}`;
    if (at === '' && (entry.name === PRIVATE_FOLDER || isPrivate(entry.name))) return;
    const isWanted = entry.type === 'folder' ? wanted(`${path}/`) : wanted(path);
    // A symlink may stand for a folder: then the rule of the folder says whether anybody cares.
    if (!isWanted && !(entry.type === 'symlink' && wanted(`${path}/`))) return;
    const reason = unsafeReason(path) ?? kindReason(entry);
    if (reason !== null) refused.set(path, reason);
    else if (entry.type === 'folder') next.push(path);
    else files.set(path, fileStat(entry));
  }
}

function kindReason(entry: Entry): string | null {
  if (entry.type === 'symlink') return 'it is a symlink';
  return entry.type === 'other' ? 'it is not a regular file' : null;
}

async function eachAtOnce<T>(items: readonly T[], atOnce: number, task: (item: T) => Promise<void>): Promise<void> {
  let index = 0;
  const worker = async (): Promise<void> => {
    while (index < items.length) {
      const item = items[index++];
      if (item !== undefined) await task(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
