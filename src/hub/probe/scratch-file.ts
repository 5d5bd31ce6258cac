import type { Random } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { PRIVATE_FOLDER, TEMP_FOLDER } from '../replica/private-folder.ts';

/**
 * A file of our own in a claudeDir for the time of `task`, where the hub keeps its own. Folders that were made for it are removed again.
 * @param fs rooted at claudeDir. @throws {FileSystemError} it cannot be written there.
 */
export async function withScratchFile<T>(
  fs: FileSystem,
  random: Random,
  bytes: Uint8Array,
  task: (path: string) => Promise<T>,
): Promise<T> {
  const made: string[] = [];
  const path = `${TEMP_FOLDER}/test-${random.hex(6)}`;
  try {
    for (const folder of [PRIVATE_FOLDER, TEMP_FOLDER]) if (await makeFolder(fs, folder)) made.push(folder);
    const file = await fs.open(path, 'create');
    try {
      try {
        await file.write(bytes);
      } finally {
        await file.close();
      }
      return await task(path);
    } finally {
      await fs.unlink(path);
    }
  } finally {
    for (const folder of made.reverse()) {
      await fs.removeFolder(folder).catch((error: unknown) => {
        // The hub has begun to use it.
        if (!FileSystemError.is(error)) throw error;
      });
    }
  }
}

/** @returns whether it was made now. */
async function makeFolder(fs: FileSystem, folder: string): Promise<boolean> {
  try {
    await fs.makeFolder(folder);
    return true;
  } catch (error) {
    if (FileSystemError.is(error, 'exists')) return false;
    throw error;
  }
}
