import type { Clock } from '../ports/clock.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';

/** Largest file that is read outside claudeDir. */
export const OUTSIDE_MAX_BYTES = 1024 * 1024;
/** Longest time it may take: such paths come from recorded sessions and may lie on a network that is gone. */
export const OUTSIDE_TIMEOUT_MS = 2_000;

/**
 * A small regular file anywhere on the machine. The path comes from a transcript, hostile input: a device or a FIFO is never
 * opened, and a symlink in the last component is not followed (docs/sync.md section 10).
 * @param outside rooted at '/'.
 * @returns `null` for anything but a readable regular file of at most `OUTSIDE_MAX_BYTES`, and when time is up.
 * @throws {FileSystemError} only when the connection is gone.
 */
export async function readOutside(outside: FileSystem, clock: Clock, absolutePath: string): Promise<Buffer | null> {
  let cancel = (): void => undefined;
  const timeUp = new Promise<null>((resolve) => {
    cancel = clock.after(OUTSIDE_TIMEOUT_MS, () => resolve(null));
  });
  try {
    return await Promise.race([readSmallFile(outside, absolutePath.replace(/^\/+/, '')), timeUp]);
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    return null;
  } finally {
    cancel();
  }
}

async function readSmallFile(outside: FileSystem, path: string): Promise<Buffer | null> {
  if (path === '' || path.split('/').includes('..')) return null;
  const look = await outside.lstat(path);
  if (look === null || look.type !== 'file' || look.size > OUTSIDE_MAX_BYTES) return null;
  // Asked for only then: most of the folders above a project hold no repository.
  const real = await outside.realPath(path);
  if (real === null) return null;
  const file = await outside.open(real.replace(/^\/+/, ''), 'read');
  try {
    const stat = await file.stat();
    if (stat.type !== 'file' || stat.size > OUTSIDE_MAX_BYTES) return null;
    return await file.read(0, OUTSIDE_MAX_BYTES);
  } finally {
    await file.close();
  }
}
