import type { OpenFile } from '../ports/file-system.ts';

/** Open files that are kept; a hub that follows more conversations at once opens the others again. */
const MOST = 64;

/** A file open for append, and how long it is. */
export interface AppendHandle {
  readonly file: OpenFile;
  /** Verified when it was opened, counted since. */
  size: number;
}

interface Kept {
  readonly handle: AppendHandle;
  uses: number;
}

/** The most recently used append handles, so that appending a line is one write and not open, stat, write, close. */
export class AppendHandles {
  /** In order of use, the oldest first. */
  readonly #kept = new Map<string, Kept>();

  /** The size of a file that is open here. */
  size(path: string): number | undefined {
    return this.#kept.get(path)?.handle.size;
  }

  /** Runs `task` on the file, opening it when it is not open; meanwhile it is not closed to make room for others. */
  async use<T>(
    path: string,
    open: () => Promise<AppendHandle>,
    task: (handle: AppendHandle) => Promise<T>,
  ): Promise<T> {
    return this.#run(path, this.#kept.get(path) ?? { handle: await open(), uses: 0 }, task);
  }

  /** Runs `task` on the file when it is open; else `null`. */
  useOpen<T>(path: string, task: (handle: AppendHandle) => Promise<T>): Promise<T> | null {
    const kept = this.#kept.get(path);
    return kept === undefined ? null : this.#run(path, kept, task);
  }

  async #run<T>(path: string, kept: Kept, task: (handle: AppendHandle) => Promise<T>): Promise<T> {
    // Last in order: most recently used.
    this.#kept.delete(path);
    this.#kept.set(path, kept);
    kept.uses++;
    try {
      return await task(kept.handle);
    } finally {
      kept.uses--;
      await this.#makeRoom();
    }
  }

  async close(path: string): Promise<void> {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    await kept.handle.file.close();
  }

  async #makeRoom(): Promise<void> {
    for (const [path, { uses }] of this.#kept) {
      if (this.#kept.size <= MOST) return;
      if (uses === 0) await this.close(path);
    }
  }
}
