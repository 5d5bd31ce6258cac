import type { Stats } from 'ssh2';
import type { EntryStat, FileSystemErrorCode } from '../ports/file-system.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { STATUS, statusOf } from './sftp-channel.ts';

const TYPE_BITS = 0o170000;
const TYPES: Readonly<Record<number, EntryStat['type']>> = {
  0o100000: 'file',
  0o040000: 'folder',
  0o120000: 'symlink',
};

/** What SFTP tells of an entry: times are whole seconds and there is no inode. */
export function entryStat({ mode, size, mtime }: Pick<Stats, 'mode' | 'size' | 'mtime'>): EntryStat {
  // A server may leave any of them out, and says so by sending less: of such an entry nothing can be told.
  if (![mode, size, mtime].every(Number.isSafeInteger))
    return { type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false };
  const type = TYPES[mode & TYPE_BITS] ?? 'other';
  return { type, size, mtimeMs: mtime * 1000, inode: '', executable: type === 'file' && (mode & 0o100) !== 0 };
}

/** What a status means that has one meaning only. `failure` is anything from a full disk to a name that is taken. */
const CODES: Readonly<Record<number, FileSystemErrorCode>> = {
  [STATUS.noSuchFile]: 'missing',
  [STATUS.permissionDenied]: 'denied',
  [STATUS.unsupported]: 'unsupported',
  // OpenSSH's word for EINVAL and ENAMETOOLONG; every path was checked before.
  [STATUS.badMessage]: 'name-too-long',
};

/** Any failure of a request in the words of the port. @param failure what the status `failure` means here, as far as that was found out. */
export function sftpError(
  operation: string,
  path: string,
  error: unknown,
  failure: FileSystemErrorCode = 'io',
): FileSystemError {
  if (error instanceof FileSystemError) return error;
  const status = statusOf(error);
  return new FileSystemError(
    CODES[status ?? -1] ?? (status === STATUS.failure ? failure : 'io'),
    operation,
    path,
    error,
  );
}

/** Whether the server said no more than that it failed. */
export function isPlainFailure(error: unknown): boolean {
  return statusOf(error) === STATUS.failure;
}
