import type { RelativePath, UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';

/** A file that nobody began to read by then is closed. */
const KEPT_MS = 1_000;
/** A server has room for some hundreds of open files, and others need them, too. */
const MOST_OPEN = 64;
/** Logs that are remembered. */
const MOST_FILES = 1_024;
/** What the hub appended to itself, it need not read. */
const OWN_MS = 2_000;

/**
 * Opens logs for reading in the same burst in which they are looked at: over a network that saves a round trip for every line. Nothing is
 * read on the strength of it alone; who reads looks at the path once more.
 */
export class OpenAhead {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #opened = new Map<RelativePath, { readonly file: Promise<OpenFile>; readonly cancel: () => void }>();
  readonly #appendedAt = new Map<RelativePath, UnixMs>();
  /** Logs that were regular files at their last look: opening a pipe would keep the other side waiting for a writer. */
  readonly #files = new Set<RelativePath>();

  constructor(fs: FileSystem, clock: Clock) {
    this.#fs = fs;
    this.#clock = clock;
  }

  /** A look at `path` is about to be sent. Call it right after that, so that the file is not older than what the look sees. */
  begin(path: RelativePath): void {
    if (!this.#files.has(path) || this.#opened.has(path) || this.#isOwn(path)) return;
    if (this.#opened.size >= MOST_OPEN) return;
    const file = this.#fs.open(path, 'read');
    // Whoever takes it meets the failure.
    file.catch(() => undefined);
    const cancel = this.#clock.after(KEPT_MS, () => this.#close(path));
    this.#opened.set(path, { file, cancel });
  }

  /** What a look at `path` found. */
  noteLook(path: RelativePath, isFile: boolean): void {
    this.#files.delete(path);
    if (isFile && path.endsWith('.jsonl')) this.#files.add(path);
    if (this.#files.size > MOST_FILES) for (const oldest of this.#files) return void this.#files.delete(oldest);
  }

  /** The file, which is the caller's from now on; `null` when it was not opened. */
  take(path: RelativePath): Promise<OpenFile> | null {
    const found = this.#opened.get(path);
    if (found === undefined) return null;
    this.#opened.delete(path);
    found.cancel();
    return found.file;
  }

  /** The hub appends to `path`: the look that the watcher's hint leads to will not be followed by reading. */
  noteAppend(path: RelativePath): void {
    this.#appendedAt.delete(path);
    this.#appendedAt.set(path, this.#clock.now());
    if (this.#appendedAt.size > 256)
      for (const oldest of this.#appendedAt.keys()) return void this.#appendedAt.delete(oldest);
  }

  /** Nothing that was opened is of any use any more. */
  clear(): void {
    for (const path of [...this.#opened.keys()]) this.#close(path);
  }

  #isOwn(path: RelativePath): boolean {
    const at = this.#appendedAt.get(path);
    return at !== undefined && this.#clock.now() - at < OWN_MS;
  }

  #close(path: RelativePath): void {
    // One that could not be opened, or went with its connection, needs no closing.
    void this.take(path)
      ?.then((file) => file.close())
      .catch(() => undefined);
  }
}
