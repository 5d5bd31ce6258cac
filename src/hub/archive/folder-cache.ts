import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { Unsynced } from './unsynced.ts';

/**
 * Folders that are known to exist, so that writing ten thousand files does not ask ten thousand times; and which of them
 * got new names that a power failure might undo.
 */
export class FolderCache {
  readonly #fs: FileSystem;
  readonly #known = new Set<string>();
  /** Folders with new names in them. */
  readonly #unsynced = new Unsynced();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /**
   * Runs `task`, which needs the parent folder of `path`. When that turns out to be missing all the same (somebody removed it), the
   * folders are made again and `task` runs once more.
   */
  async inParentOf<T>(path: string, task: () => Promise<T>): Promise<T> {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    await this.make(parent);
    try {
      return await task();
    } catch (error) {
      if (!FileSystemError.is(error, 'missing')) throw error;
      this.#known.clear();
      await this.make(parent);
      return await task();
    } finally {
      this.#unsynced.add(parent);
    }
  }

  /** The folder of `path` was made by somebody else. */
  know(path: string): void {
    for (let folder = path; folder !== '';) {
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
      if (this.#known.has(folder)) return;
      this.#known.add(folder);
      this.#unsynced.add(folder);
    }
  }

  /** Makes `folder` with everything above it, also the root of the file system itself. */
  async make(folder: string): Promise<void> {
    if (this.#known.has(folder)) return;
    if (folder !== '') await this.make(folder.slice(0, Math.max(0, folder.lastIndexOf('/'))));
    if (folder !== '' || (await this.#fs.lstat('')) === null) {
      try {
        await this.#fs.makeFolder(folder);
        if (folder !== '') this.#unsynced.add(folder.slice(0, Math.max(0, folder.lastIndexOf('/'))));
      } catch (error) {
        if (!FileSystemError.is(error, 'exists')) throw error;
        if ((await this.#fs.lstat(folder))?.type !== 'folder') throw error;
      }
    }
    this.#known.add(folder);
  }

  /** Makes every name that was made in these folders so far durable. */
  async sync(): Promise<void> {
    const folders = this.#unsynced.paths();
    await Promise.all(folders.map((folder) => this.#unsynced.sync(folder, async () => this.#fs.syncFolder?.(folder))));
  }
}
