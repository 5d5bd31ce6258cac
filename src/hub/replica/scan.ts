import type { FileStat, RelativePath, UnixMs } from '../../core/domain.ts';
import { unsafeReason } from '../../core/keys/safe-path.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { Entry, FileSystem } from '../ports/file-system.ts';
import { RootUnknown } from './followed-roots.ts';
import { PRIVATE_FOLDER, isPrivate } from './private-folder.ts';
import type { Scan } from './replica.ts';
import { fileStat, walk } from './safe-walk.ts';

/** How many folders are listed at once. */
const LISTINGS_AT_ONCE = 16;

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
    await eachAtOnce(level, LISTINGS_AT_ONCE, async (at) => {
      for (const entry of await listed(at)) take(at, entry, next);
    });
    level = next;
  }
  return scan;

  async function listed(at: RelativePath): Promise<Entry[]> {
    try {
      return await fs.list(at);
    } catch (error) {
      if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
      // claudeDir itself was there a moment ago; that it vanished is no statement about what was in it.
      if (error.code !== 'missing' || at === '')
        unlisted.set(at, error instanceof RootUnknown ? error.why : `it cannot be listed: ${error.code}`);
      return [];
    }
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
