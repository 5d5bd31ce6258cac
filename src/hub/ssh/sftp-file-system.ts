import type { FileEntryWithStats } from 'ssh2';
import type { MachineOs } from '../../core/domain.ts';
import {
  FileSystemError,
  type Entry,
  type EntryStat,
  type FileSystem,
  type FileSystemErrorCode,
} from '../ports/file-system.ts';
import type { Bandwidth } from './bandwidth.ts';
import { STATUS, statusOf, type SftpChannel } from './sftp-channel.ts';
import { entryStat, isPlainFailure, sftpError } from './sftp-facts.ts';
import { SftpFile } from './sftp-file.ts';

/** SSH_FXF_* of SFTP version 3. `append` must not make a file that is not there. */
const OPEN_FLAGS = { read: 0x01, append: 0x01 | 0x02 | 0x04, create: 0x01 | 0x02 | 0x08 | 0x20 } as const;
/** Listings of one folder that are asked for ahead: two in flight hide the way there and back. */
const LISTINGS_AHEAD = 2;
/** More than any folder of Claude Code holds; a listing that does not end must not fill the hub's memory. */
const MOST_ENTRIES = 500_000;
/** With less than this left a write that simply failed has met a full disk. */
const FULL_BELOW_BYTES = 64 * 1024;

/** A machine's files over SFTP. */
export interface SftpFileSystemOptions {
  /** The channel of the present connection. @throws {FileSystemError} `disconnected` when there is none. */
  readonly channel: () => SftpChannel;
  /** Absolute folder there that paths are relative to; '/' for all of it. A drive is `/C:/...`. */
  readonly root: string;
  /**
   * Absolute folder that the server begins in (`realpath('.')`): what lies below it is named without it, which is a good part of what a line
   * costs. Default: all names are absolute.
   */
  readonly start?: string;
  readonly os: MachineOs;
  /** The limit of the present connection; what waits for one that is gone must not keep the next one waiting. */
  readonly bandwidth: (() => Bandwidth | null) | null;
}

/**
 * Files of a machine over SFTP version 3, as OpenSSH serves it.
 *
 * - There is no inode, and times are whole seconds: `inode` is '' and checks go by content where it matters.
 * - SFTP opens through symlinks; nobody opens a path without looking at all of its components in the same burst.
 * - `rename` is the plain one, which refuses to overwrite (OpenSSH links and unlinks; elsewhere it is a look and a rename).
 * - `renameOver` is `posix-rename@openssh.com`. Without it only a free name can be taken, and nothing is replaced.
 * - The server says `failure` for a taken name, a full disk, a file that is in use and much else: which one it was is asked for.
 */
export function createSftpFileSystem(options: SftpFileSystemOptions): FileSystem {
  const { channel, os, bandwidth } = options;
  const base = fromStart(options.root.replace(/\/+$/, ''), options.start ?? null);
  const at = (path: string): string => (path === '' ? base || '/' : base === '.' ? path : `${base}/${path}`);

  /** A request whose plain failure means `failure`, or what that finds out. */
  async function ask<T>(
    operation: string,
    path: string,
    send: Parameters<SftpChannel['request']>[2],
    failure: FileSystemErrorCode | (() => Promise<FileSystemErrorCode>) = 'io',
  ): Promise<T> {
    try {
      return (await channel().request<unknown>(operation, path, send)) as T;
    } catch (error) {
      if (!isPlainFailure(error)) throw sftpError(operation, path, error);
      throw sftpError(operation, path, error, typeof failure === 'string' ? failure : await failure());
    }
  }

  async function lstat(path: string): Promise<EntryStat | null> {
    try {
      return entryStat(await ask('lstat', path, (sftp, done) => sftp.lstat(at(path), done)));
    } catch (error) {
      if (FileSystemError.is(error, 'missing')) return null;
      throw error;
    }
  }

  /** Why something new could not be made at `path`. */
  async function whyNotMade(path: string): Promise<FileSystemErrorCode> {
    if ((await lstat(path)) !== null) return 'exists';
    return (await isFull(path)) ? 'no-space' : 'io';
  }

  async function isFull(path: string): Promise<boolean> {
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
    const space = await statvfs(folder).catch((error: unknown) => {
      if (FileSystemError.is(error, 'disconnected')) throw error;
      return null;
    });
    return space !== null && (space.freeBytes < FULL_BELOW_BYTES || space.freeFiles === 0);
  }

  async function statvfs(path: string): Promise<{ freeBytes: number; totalBytes: number; freeFiles: number | null }> {
    const facts = await ask<Record<string, unknown>>('space', path, (sftp, done) =>
      sftp.ext_openssh_statvfs(at(path), done),
    );
    const [free, blocks, size] = [facts['f_bavail'], facts['f_blocks'], facts['f_frsize']].map(Number);
    if (!(free !== undefined && blocks !== undefined && size !== undefined && free * size >= 0 && blocks > 0))
      throw new FileSystemError('unsupported', 'space', path);
    // Volumes without a fixed number of inodes say 0 of 0.
    const [files, freeFiles] = [Number(facts['f_files']), Number(facts['f_favail'])];
    return { freeBytes: free * size, totalBytes: blocks * size, freeFiles: files > 0 ? freeFiles : null };
  }

  /** On Windows a file that somebody has open can be neither renamed nor removed, and the server gives no reason. */
  async function whyNotMoved(from: string, to: string | null): Promise<FileSystemErrorCode> {
    if (to !== null && (await lstat(to)) !== null) return 'exists';
    if ((await lstat(from)) === null) return 'missing';
    if (os === 'windows') return 'busy';
    return to !== null && (await isFull(to)) ? 'no-space' : 'io';
  }

  const filesystem: FileSystem = {
    lstat,
    list: (path) => list(channel(), at(path), path),
    async open(path, mode) {
      const handle = await ask<Buffer>(
        'open',
        path,
        (sftp, done) =>
          mode === 'create'
            ? sftp.open(at(path), OPEN_FLAGS.create, { mode: 0o600 }, done)
            : sftp.open(at(path), OPEN_FLAGS[mode], done),
        async () => {
          if (mode === 'create') return whyNotMade(path);
          const there = await lstat(path);
          if (there === null) return 'missing';
          if (there.type !== 'file') return 'not-a-file';
          return os === 'windows' ? 'busy' : 'io';
        },
      );
      const whyWriteFailed = async (where: string, error: unknown): Promise<FileSystemError> => {
        const isNoSpace = isPlainFailure(error) && (await isFull(where).catch(() => false));
        return sftpError('write', where, error, isNoSpace ? 'no-space' : 'io');
      };
      return new SftpFile({
        channel: channel(),
        handle,
        path,
        mode,
        bandwidth: bandwidth?.() ?? null,
        whyWriteFailed,
      });
    },
    makeFolder: (path) =>
      ask<void>(
        'makeFolder',
        path,
        (sftp, done) => sftp.mkdir(at(path), { mode: 0o700 }, (error) => done(error, undefined)),
        () => whyNotMade(path),
      ),
    rename: (from, to) =>
      ask<void>(
        'rename',
        from,
        (sftp, done) => sftp.rename(at(from), at(to), (error) => done(error, undefined)),
        () => whyNotMoved(from, to),
      ),
    async renameOver(from, to) {
      try {
        await ask<void>(
          'renameOver',
          from,
          (sftp, done) => sftp.ext_openssh_rename(at(from), at(to), (error) => done(error, undefined)),
          () => whyNotMoved(from, null),
        );
      } catch (error) {
        if (!FileSystemError.is(error, 'unsupported')) throw error;
        await filesystem.rename(from, to).catch((failure: unknown) => {
          throw FileSystemError.is(failure, 'exists')
            ? new FileSystemError('unsupported', 'renameOver', from, error)
            : failure;
        });
      }
    },
    hardLink: (from, to) =>
      ask<void>(
        'hardLink',
        from,
        (sftp, done) => sftp.ext_openssh_hardlink(at(from), at(to), (error) => done(error, undefined)),
        async () => {
          if ((await lstat(to)) !== null) return 'exists';
          if ((await lstat(from)) === null) return 'missing';
          // exFAT, FAT and some network volumes say no more than that they will not.
          return (await isFull(to)) ? 'no-space' : 'unsupported';
        },
      ),
    unlink: (path) =>
      ask<void>(
        'unlink',
        path,
        (sftp, done) => sftp.unlink(at(path), (error) => done(error, undefined)),
        () => whyNotMoved(path, null),
      ),
    removeFolder: (path) =>
      ask<void>(
        'removeFolder',
        path,
        (sftp, done) => sftp.rmdir(at(path), (error) => done(error, undefined)),
        'not-empty',
      ),
    async setTimes(path, mtimeMs) {
      const seconds = Math.floor(mtimeMs / 1000);
      const times = { atime: seconds, mtime: seconds };
      try {
        await ask<void>('setTimes', path, (sftp, done) =>
          sftp.ext_openssh_lsetstat(at(path), times, (error) => done(error, undefined)),
        );
      } catch (error) {
        if (!FileSystemError.is(error, 'unsupported')) throw error;
        if ((await lstat(path))?.type === 'symlink') throw error;
        await ask<void>('setTimes', path, (sftp, done) =>
          sftp.utimes(at(path), seconds, seconds, (failure) => done(failure, undefined)),
        );
      }
    },
    async realPath(path) {
      try {
        const real = await ask<string>('realPath', path, (sftp, done) => sftp.realpath(at(path), done));
        // OpenSSH resolves also what has a last component that is not there.
        await ask('realPath', path, (sftp, done) => sftp.stat(real, done));
        return real.replaceAll('\\', '/');
      } catch (error) {
        if (FileSystemError.is(error, 'missing')) return null;
        throw error;
      }
    },
    async space(path) {
      try {
        const { freeBytes, totalBytes } = await statvfs(path);
        return { freeBytes, totalBytes };
      } catch (error) {
        if (FileSystemError.is(error, 'unsupported')) return null;
        throw error;
      }
    },
  };
  return filesystem;
}

function fromStart(folder: string, start: string | null): string {
  if (start === null || start === '/') return folder;
  if (folder === start) return '.';
  return folder.startsWith(`${start}/`) ? folder.slice(start.length + 1) : folder;
}

/** All entries of a folder; the next part is asked for while one is on its way. */
async function list(channel: SftpChannel, absolute: string, path: string): Promise<Entry[]> {
  const failed = (error: unknown): never => {
    throw sftpError('list', path, error);
  };
  const handle = await channel
    .request<Buffer>('list', path, (sftp, done) => sftp.opendir(absolute, done))
    .catch(failed);
  const entries: Entry[] = [];
  let isComplete = false;
  const lane = async (): Promise<void> => {
    while (!isComplete) {
      const part = await channel
        .request<FileEntryWithStats[]>('list', path, (sftp, done) => sftp.readdir(handle, done))
        .catch((error: unknown) => (statusOf(error) === STATUS.eof ? null : failed(error)));
      if (part === null) isComplete = true;
      else if (entries.length + part.length > MOST_ENTRIES) {
        isComplete = true;
        throw new FileSystemError('io', 'list', path, new Error(`it has more than ${MOST_ENTRIES} entries`));
      } else for (const { filename, attrs } of part) entries.push(entryOf(filename, attrs));
    }
  };
  try {
    const lanes = await Promise.allSettled(Array.from({ length: LISTINGS_AHEAD }, lane));
    for (const one of lanes) if (one.status === 'rejected') throw one.reason;
  } finally {
    // Nobody needs to know when; a channel that is gone closes its handles itself.
    channel
      .request<void>('list', path, (sftp, done) => sftp.close(handle, (error) => done(error, undefined)))
      .catch(() => undefined);
  }
  return entries;
}

function entryOf(name: string, attrs: FileEntryWithStats['attrs']): Entry {
  // A name that is no UTF-8 cannot be asked for again; it exists all the same and must not pass for absent.
  if (name.includes('\uFFFD')) return { name, type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false };
  return { name, ...entryStat(attrs) };
}
