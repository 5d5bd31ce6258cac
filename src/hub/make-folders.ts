import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder and those above it that are missing, 0700. One that is there stays as it is.
 *
 * Not with `mkdir`'s own `recursive`: below a folder that says "no such file" to whoever wants to make something in it (`/proc`),
 * Node goes round for ever, in a thread that nothing can stop.
 * @throws the system's error, with its code; `ENOTDIR` when a file is in the way.
 */
export async function makeFolders(folder: string): Promise<void> {
  if (await isThere(folder)) return;
  const above = dirname(folder);
  if (above !== folder) await makeFolders(above);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    // Somebody else made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isThere(folder))) throw error;
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
