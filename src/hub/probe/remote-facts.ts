import type { Clock } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { wirePath } from '../ssh/drive-path.ts';
import { RemoteCommandFailure, type RemoteCommands } from '../ssh/remote-commands.ts';
import type { SshSession } from '../ssh/session.ts';
import { createSftpFileSystem } from '../ssh/sftp-file-system.ts';

const CLOCK_WITHIN_MS = 10_000;

/**
 * Machine clock minus hub clock in ms, right to about a second, without writing anything there. `null` where no shell says.
 * @throws {SshFailure} the connection is gone.
 */
export async function remoteClockOffset(commands: RemoteCommands, clock: Clock): Promise<number | null> {
  const before = clock.now();
  try {
    const { code, stdout } = await commands.run('date +%s', { maxBytes: 1024, timeoutMs: CLOCK_WITHIN_MS });
    const seconds = Number(stdout.toString('latin1').trim());
    if (code !== 0 || !Number.isSafeInteger(seconds) || seconds <= 0) return null;
    // Half a second: `date` leaves out the fraction.
    return Math.round(seconds * 1000 + 500 - (before + clock.now()) / 2);
  } catch (error) {
    if (error instanceof RemoteCommandFailure) return null;
    throw error;
  }
}

/**
 * How many folders may be watched there (Linux); `null` where that cannot be read.
 * @param outside rooted at '/'. @throws {FileSystemError} the connection is gone.
 */
export async function remoteWatchLimit(outside: FileSystem): Promise<number | null> {
  try {
    // The file says that it is empty, and is not: it is read all the same.
    const file = await outside.open('proc/sys/fs/inotify/max_user_watches', 'read');
    try {
      const limit = Number((await file.read(0, 64)).toString('latin1').trim());
      return Number.isSafeInteger(limit) && limit > 0 ? limit : null;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
}

/** What the folder of Claude Code is on a machine. */
export type FolderState = 'present' | 'missing' | 'not-a-folder' | 'unreadable';

/** @param outside rooted at '/'. @throws {FileSystemError} the connection is gone. */
export async function folderState(outside: FileSystem, claudeDir: string): Promise<FolderState> {
  const path = wirePath(claudeDir).slice(1);
  try {
    const there = await outside.lstat(path);
    if (there === null) return 'missing';
    if (there.type !== 'folder') return 'not-a-folder';
    await outside.list(path);
    return 'present';
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return 'unreadable';
    throw error;
  }
}

/** Files of a session's machine, below an absolute path there. */
export function filesOf(session: SshSession, root: string): FileSystem {
  return createSftpFileSystem({
    channel: () => session.channel,
    root: wirePath(root),
    os: session.facts.os,
    bandwidth: null,
  });
}
