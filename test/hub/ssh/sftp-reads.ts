import type { SFTPWrapper } from 'ssh2';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import type { FileSystem, OpenFile } from '../../../src/hub/ports/file-system.ts';

/** As much of a file system rooted at `/` as reading takes, over SFTP as ssh2 gives it. */
export function sftpFileSystem(sftp: SFTPWrapper): Pick<FileSystem, 'open'> {
  const failure = (error: Error & { code?: number | string }, path: string): FileSystemError =>
    new FileSystemError(error.code === 2 ? 'missing' : 'io', 'read', path, error);
  return {
    open: (path) =>
      new Promise((resolve, reject) =>
        sftp.open(`/${path}`, 'r', (error, handle) => {
          if (error !== undefined && error !== null) return reject(failure(error, path));
          const file: Pick<OpenFile, 'read' | 'close'> = {
            read: (position, length) =>
              new Promise((done, fail) => {
                const buffer = Buffer.alloc(length);
                sftp.read(handle, buffer, 0, length, position, (trouble, bytes) => {
                  // 1: the end of the file.
                  if (trouble && (trouble as { code?: number }).code !== 1) fail(failure(trouble, path));
                  else done(buffer.subarray(0, trouble ? 0 : bytes));
                });
              }),
            close: () => new Promise((done) => sftp.close(handle, () => done())),
          };
          resolve(file as OpenFile);
        }),
      ),
  };
}
