import { createHash } from 'node:crypto';
import type { Sha256 } from '../../core/domain.ts';
import type { FileSystem } from '../ports/file-system.ts';

const CHUNK_BYTES = 1024 * 1024;

/** SHA-256 of the first `size` bytes of a file, read piece by piece. @throws {FileSystemError} */
export async function hashByReading(fs: FileSystem, path: string, size: number): Promise<Sha256> {
  const hash = createHash('sha256');
  const file = await fs.open(path, 'read');
  try {
    for (let offset = 0; offset < size; offset += CHUNK_BYTES) {
      hash.update(await file.read(offset, Math.min(CHUNK_BYTES, size - offset)));
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
