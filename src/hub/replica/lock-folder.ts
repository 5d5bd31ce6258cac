import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { TEMP_FOLDER } from './private-folder.ts';
import { discardTemp } from './temps.ts';
import { privateName } from './tree-context.ts';
import type { TreeContext } from './tree-context.ts';

/** After this time without a sign of its holder the CLI takes a lock for left behind, and so do we. */
export const LOCK_STALE_MS = 10_000;

/**
 * Takes the lock folder `<path>.lock` in the way of the CLI: whoever creates the folder has it. To be held for much less than
 * `LOCK_STALE_MS`, for it is not refreshed.
 *
 * A lock that was left behind is taken over. Two that find the same stale lock at the same time can both get it, a race of
 * some microseconds that is part of the CLI's own protocol; appends stay whole all the same.
 * @returns how to give it back, `null` when somebody else has it.
 * @throws {FileSystemError}
 */
export async function lockFolder(context: TreeContext, path: RelativePath): Promise<(() => Promise<void>) | null> {
  const { fs } = context;
  const lock = `${path}.lock`;
  if (!(await makeFolder(fs, lock))) {
    const found = await fs.lstat(lock);
    if (found !== null) {
      if (found.type !== 'folder' || (await machineNow(context)) - found.mtimeMs <= LOCK_STALE_MS) return null;
      const again = await fs.lstat(lock);
      if (again !== null && (again.mtimeMs !== found.mtimeMs || again.inode !== found.inode)) return null;
      if (again !== null) await removeFolder(fs, lock);
    }
    if (!(await makeFolder(fs, lock))) return null;
  }
  const own = await fs.lstat(lock);
  return async () => {
    const now = await fs.lstat(lock);
    // Held too long, it may be somebody else's by now.
    if (now !== null && now.mtimeMs === own?.mtimeMs && now.inode === own.inode) await removeFolder(fs, lock);
  };
}

async function makeFolder(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.makeFolder(path);
    return true;
  } catch (error) {
    if (FileSystemError.is(error, 'exists')) return false;
    throw error;
  }
}

async function removeFolder(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.removeFolder(path);
  } catch (error) {
    if (!FileSystemError.is(error, 'missing')) throw error;
  }
}

/** The machine's own time: the age of a lock must not depend on how far its clock is from the hub's. */
async function machineNow(context: TreeContext): Promise<number> {
  const path = `${TEMP_FOLDER}/${privateName(context)}`;
  const file = await context.fs.open(path, 'create');
  try {
    return (await file.stat()).mtimeMs;
  } finally {
    await file.close();
    await discardTemp(context, path);
  }
}
