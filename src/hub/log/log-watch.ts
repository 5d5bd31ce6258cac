import { statSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../ports/clock.ts';

/**
 * Tells when it is worth looking at a log again. The system tells of changes in its folder where it can; a look from time to time covers
 * what it does not tell, and a folder that is not there yet or is another one now.
 */
export class LogWatch {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #pollMs: number;
  #watcher: FSWatcher | null = null;
  #inode: number | null = null;
  #isDue = false;
  #wake: (() => void) | null = null;

  constructor(file: string, clock: Clock, pollMs: number) {
    this.#folder = dirname(file);
    this.#clock = clock;
    this.#pollMs = pollMs;
    this.#cover();
  }

  /** Resolves at the next change, at once when there was one since the last time; after the poll's time anyway, or when `signal` aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (!this.#isDue && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(this.#pollMs, () => {
          this.#cover();
          done();
        });
        const done = (): void => {
          cancel();
          signal.removeEventListener('abort', done);
          this.#wake = null;
          resolve();
        };
        signal.addEventListener('abort', done, { once: true });
        this.#wake = done;
      });
    }
    this.#isDue = false;
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** Sees to it that the folder of now is watched. */
  #cover(): void {
    const inode = statSync(this.#folder, { throwIfNoEntry: false })?.ino ?? null;
    if (this.#watcher !== null && inode === this.#inode) return;
    this.close();
    if (inode === null) return;
    try {
      const watcher = watch(this.#folder, () => this.#tell());
      // No more watches, the folder is gone: looking from time to time goes on.
      watcher.on('error', () => this.close());
      this.#watcher = watcher;
      this.#inode = inode;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#watcher = null;
    }
    this.#tell();
  }

  #tell(): void {
    this.#isDue = true;
    this.#wake?.();
  }
}
