import { closeSync, openSync, readSync } from 'node:fs';

/** Files that are kept open. */
const OPEN_FILES = 16;

/** Reads lines of the archive by their places. Synchronous, for the worker that answers questions. */
export class LineReader {
  readonly #files = new Map<string, number>();

  /** The line at `[start, start + bytes)` without its newline; `null` when the file is gone or ends before. */
  read(path: string, start: number, bytes: number): Buffer | null {
    const file = this.#open(path);
    if (file === null) return null;
    const buffer = Buffer.allocUnsafe(bytes);
    let done = 0;
    while (done < bytes) {
      const more = readSync(file, buffer, done, bytes - done, start + done);
      if (more === 0) return null;
      done += more;
    }
    return buffer.at(-1) === 0x0a ? buffer.subarray(0, -1) : buffer;
  }

  /** Other files may take the places of those that are open: called after each question. */
  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #open(path: string): number | null {
    const open = this.#files.get(path);
    if (open !== undefined) return open;
    if (this.#files.size >= OPEN_FILES) this.close();
    try {
      const file = openSync(path, 'r');
      this.#files.set(path, file);
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}
