import type { Stats } from 'node:fs';
import { FileSystemError } from '../ports/file-system.ts';
import type { EntryStat, FileSystemErrorCode } from '../ports/file-system.ts';

/** Facts of an entry in the words of the port. */
export function entryStat(stats: Stats): EntryStat {
  return {
    type: stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'symlink' : 'other',
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    inode: `${stats.dev}-${stats.ino}`,
    executable: stats.isFile() && (stats.mode & 0o100) !== 0,
  };
}

/** Runs a synchronous call. @throws {FileSystemError} */
export function attempt<T>(operation: string, path: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    throw fileSystemError(operation, path, error);
  }
}

const CODES: Readonly<Record<string, FileSystemErrorCode>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EEXIST: 'exists',
  ENOTEMPTY: 'not-empty',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EBUSY: 'busy',
  ETXTBSY: 'busy',
  ENAMETOOLONG: 'name-too-long',
  ENOSYS: 'unsupported',
  ENOTSUP: 'unsupported',
  EOPNOTSUPP: 'unsupported',
  EXDEV: 'unsupported',
  ELOOP: 'not-a-file',
  EISDIR: 'not-a-file',
  ENXIO: 'not-a-file',
};

/** Any failure as one of the few kinds that the protocols treat differently. */
export function fileSystemError(operation: string, path: string, error: unknown): FileSystemError {
  if (error instanceof FileSystemError) return error;
  return new FileSystemError(CODES[errnoOf(error) ?? ''] ?? 'io', operation, path, error);
}

/** `ENOENT` and the like. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
