import type { RelativePath } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import type { Hint } from './replica.ts';
import { topmostOf } from './topmost-folders.ts';

/** The first event of a path is told at once, those within this time behind it together at its end. */
const TOGETHER_MS = 50;
/** More files than this within that time are told as one look at everything, which costs less and holds no memory. */
const MOST_FILES = 10_000;

/** What may be asked of `HintsTogether` besides. */
export interface TogetherOptions {
  /**
   * Folders are told once more after this time, ms: for a watch that begins to watch a new folder some time after it has told of it.
   * What is created there between the scan and the watch is then found by the second scan.
   */
  readonly foldersAgainMs?: number;
}

/**
 * Turns the events of a watch into hints, fewer than there are events: an append makes one hint at once, and a thousand of them make
 * twenty a second. The last change of a path is never swallowed: a hint follows it.
 */
export class HintsTogether {
  readonly #clock: Clock;
  readonly #onHint: (hint: Hint) => void;
  readonly #foldersAgainMs: number | null;
  /** Paths told within the last moments, with whether something happened there since. */
  readonly #told = new Map<RelativePath, { again: boolean }>();
  /** New folders that are told together in a moment, `null` when the next one is told at once: a first sync makes thousands. */
  #newFolders: Set<RelativePath> | null = null;
  readonly #cancels = new Set<() => void>();
  #isFlooded = false;
  #closed = false;

  constructor(clock: Clock, onHint: (hint: Hint) => void, options: TogetherOptions = {}) {
    this.#clock = clock;
    this.#onHint = onHint;
    this.#foldersAgainMs = options.foldersAgainMs ?? null;
  }

  /** Something happened to the file at `path`. */
  file(path: RelativePath): void {
    if (this.#closed || this.#isFlooded) return;
    const told = this.#told.get(path);
    if (told !== undefined) {
      told.again = true;
      return;
    }
    if (this.#told.size >= MOST_FILES) return this.#flood();
    this.#told.set(path, { again: false });
    this.#after(TOGETHER_MS, () => {
      const again = this.#told.get(path)?.again === true;
      this.#told.delete(path);
      if (again) this.file(path);
    });
    this.#onHint({ path, kind: 'file' });
  }

  /** The folder at `path` has to be scanned. One scan of the topmost folder covers those below it. */
  folder(path: RelativePath): void {
    if (this.#closed) return;
    if (this.#newFolders !== null) return void this.#newFolders.add(path);
    const found = new Set<RelativePath>();
    this.#newFolders = found;
    this.#tellFolders([path]);
    this.#after(TOGETHER_MS, () => {
      this.#newFolders = null;
      this.#tellFolders(topmostOf(found));
    });
  }

  /** No hint comes after this. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#told.clear();
  }

  #tellFolders(paths: readonly RelativePath[]): void {
    const tell = (): void => {
      for (const path of paths) if (!this.#closed) this.#onHint({ path, kind: 'folder' });
    };
    if (paths.length === 0) return;
    if (this.#foldersAgainMs !== null) this.#after(this.#foldersAgainMs, tell);
    tell();
  }

  #flood(): void {
    this.#isFlooded = true;
    this.#after(TOGETHER_MS, () => {
      this.#isFlooded = false;
      this.#onHint({ path: '', kind: 'folder' });
    });
  }

  #after(ms: number, task: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#cancels.delete(cancel);
      if (!this.#closed) task();
    });
    this.#cancels.add(cancel);
  }
}
