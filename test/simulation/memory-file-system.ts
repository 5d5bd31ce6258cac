import type { Entry, EntryStat, FileSystem, OpenFile } from '../../src/hub/ports/file-system.ts';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import type { Inode, Volume } from './volume.ts';

/**
 * How a request reaches the disk. `run` does it, synchronously, once or never; the returned promise is what the caller sees.
 */
export type Execute = <T>(request: Request, run: () => T) => Promise<T>;

/** One request to a disk, for traces and for choosing the moment at which something else happens. */
export interface Request {
  readonly operation: string;
  readonly path: string;
  readonly mutates: boolean;
}

/** Runs each request at once: a disk without delay. */
export const immediately: Execute = (_request, run) => {
  try {
    return Promise.resolve(run());
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
};

/**
 * The `FileSystem` port over a simulated disk, rooted at folder `root` of it ('' = the whole disk).
 * Handles stay with their inode through rename and unlink, as on POSIX: a late writer writes into what it opened.
 */
export function createMemoryFileSystem(volume: Volume, root: string, execute: Execute = immediately): FileSystem {
  const at = (path: string): string => (path === '' ? root : root === '' ? path : `${root}/${path}`);
  const call = <T>(operation: string, path: string, mutates: boolean, run: () => T): Promise<T> =>
    execute({ operation, path: at(path), mutates }, run);

  const handle = (inode: Inode, path: string, mode: 'read' | 'append' | 'create'): OpenFile => {
    let closed = false;
    const live = <T>(operation: string, mutates: boolean, run: () => T): Promise<T> =>
      call(`handle.${operation}`, path, mutates, () => {
        if (closed) throw new FileSystemError('io', operation, path, new Error('handle is closed'));
        return run();
      });
    return {
      read: (position, length) => live('read', false, () => volume.read(inode, position, length)),
      write: (bytes) => {
        const copy = Buffer.from(bytes);
        return live('write', true, () => {
          if (mode === 'read') throw new FileSystemError('denied', 'write', path);
          volume.append(inode, copy);
        });
      },
      stat: () => live('stat', false, () => statOf(volume, inode)),
      setTimes: (mtimeMs) => live('setTimes', true, () => volume.setTimes(inode, mtimeMs)),
      setExecutable: (executable) =>
        live('setExecutable', true, () => {
          inode.executable = executable;
        }),
      sync: () => live('sync', true, () => volume.sync(inode)),
      close: () =>
        live('close', false, () => {
          closed = true;
        }),
    };
  };

  return {
    lstat: (path) =>
      call('lstat', path, false, () => {
        const inode = volume.find(at(path));
        return inode ? statOf(volume, inode) : null;
      }),
    list: (path) =>
      call('list', path, false, () =>
        volume.list(at(path)).map(({ name, inode }): Entry => ({ name, ...statOf(volume, inode) })),
      ),
    open: (path, mode) =>
      call(`open-${mode}`, path, mode === 'create', () =>
        handle(mode === 'create' ? volume.createFile(at(path)) : volume.openFile(`open-${mode}`, at(path)), path, mode),
      ),
    makeFolder: (path) => call('makeFolder', path, true, () => void volume.makeFolder(at(path))),
    rename: (from, to) => call('rename', from, true, () => volume.rename(at(from), at(to), false)),
    renameOver: (from, to) => call('renameOver', to, true, () => volume.rename(at(from), at(to), true)),
    hardLink: (from, to) => call('hardLink', from, true, () => volume.hardLink(at(from), at(to))),
    unlink: (path) => call('unlink', path, true, () => volume.unlink(at(path))),
    removeFolder: (path) => call('removeFolder', path, true, () => volume.removeFolder(at(path))),
    setTimes: (path, mtimeMs) =>
      call('setTimes', path, true, () => {
        const inode = volume.find(at(path));
        if (!inode) throw new FileSystemError('missing', 'setTimes', path);
        volume.setTimes(inode, mtimeMs);
      }),
    realPath: (path) => call('realPath', path, false, () => (volume.find(at(path)) ? absolute(at(path)) : null)),
    space: (path) =>
      call('space', path, false, () => ({
        freeBytes: Math.max(0, volume.capacity - volume.used),
        totalBytes: volume.capacity,
      })),
  };
}

/** Absolute path of a path on a simulated disk: `C:/…` on Windows, `/…` elsewhere. */
export function absolute(path: string): string {
  return /^[A-Za-z]:(\/|$)/.test(path) ? path : `/${path}`;
}

function statOf(volume: Volume, inode: Inode): EntryStat {
  return {
    type: inode.type,
    size: inode.type === 'file' ? inode.size : 0,
    mtimeMs: volume.mtimeOf(inode),
    inode: `1:${inode.id}`,
    executable: inode.executable,
  };
}
