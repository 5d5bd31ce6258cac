import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { ProcessTable } from '../replica/liveness.ts';
import { startTicksOf } from '../replica/proc-stat.ts';

/** A line of `/proc/<pid>/stat` is some 300 bytes. */
const MOST_BYTES = 4096;

/**
 * The processes of a Linux machine, read from its `/proc` as files, so that no command has to run.
 * @param fs rooted at `/` there.
 */
export function remoteProcesses(fs: Pick<FileSystem, 'open'>): ProcessTable {
  async function read(pid: number): Promise<string | null> {
    const file = await fs.open(`proc/${pid}/stat`, 'read');
    try {
      const parts: Buffer[] = [];
      // Its size is said to be 0, and a read may bring less than is there: only the end is the end.
      for (let at = 0; at < MOST_BYTES;) {
        const part = await file.read(at, MOST_BYTES - at);
        if (part.length === 0) break;
        parts.push(part);
        at += part.length;
      }
      return startTicksOf(Buffer.concat(parts).toString('latin1'));
    } finally {
      await file.close();
    }
  }

  async function startOf(pid: number, isSecondTry: boolean): Promise<string | null> {
    try {
      return await read(pid);
    } catch (error) {
      if (FileSystemError.is(error, 'missing')) return null;
      // It ended between open and read, which SFTP has no word for. The second try does not find it.
      if (!isSecondTry && FileSystemError.is(error, 'io')) return startOf(pid, true);
      throw error;
    }
  }

  return { startOf: (pid) => startOf(pid, false) };
}
