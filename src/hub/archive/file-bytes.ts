import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { ArchiveDamaged } from './archive.ts';

/** Largest chunk that is read or written in one go. */
export const CHUNK_BYTES = 1024 * 1024;

/**
 * Bytes `[from, to)` of the file at `path` in chunks of at most 1 MiB.
 * @param name what to call it in an error
 * @throws {ArchiveDamaged} when the file is missing or shorter.
 */
export async function* readBytes(
  fs: FileSystem,
  path: string,
  name: string,
  from: number,
  to: number,
): AsyncGenerator<Buffer> {
  if (from >= to) return;
  const file = await openExisting(fs, path, 'read', name);
  try {
    for (let at = from; at < to;) {
      const chunk = await file.read(at, Math.min(CHUNK_BYTES, to - at));
      if (chunk.length === 0) throw new ArchiveDamaged(name, `${at} bytes`, `at least ${to} bytes`);
      at += chunk.length;
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

/** All chunks as one. */
export async function concat(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Opens a file that has to be there. @throws {ArchiveDamaged} when it is not. */
export async function openExisting(
  fs: FileSystem,
  path: string,
  mode: 'read' | 'append',
  name: string,
): Promise<OpenFile> {
  try {
    return await fs.open(path, mode);
  } catch (error) {
    if (FileSystemError.is(error, 'missing')) throw new ArchiveDamaged(name, 'no file', 'a file');
    throw error;
  }
}

/** Whether there was a file to remove. */
export async function unlinkIfThere(fs: FileSystem, path: string): Promise<boolean> {
  try {
    await fs.unlink(path);
    return true;
  } catch (error) {
    if (FileSystemError.is(error, 'missing')) return false;
    throw error;
  }
}
