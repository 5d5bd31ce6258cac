import {
  closeSync,
  constants,
  fchmodSync,
  fdatasync,
  open,
  fstatSync,
  futimesSync,
  openSync,
  read,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { FileSystemError } from '../ports/file-system.ts';
import type { EntryStat, OpenFile } from '../ports/file-system.ts';
import { attempt, entryStat, fileSystemError } from './node-facts.ts';

const openAsync = promisify(open);
const readAsync = promisify(read);
const writeAsync = promisify(write);
const fdatasyncAsync = promisify(fdatasync);

/**
 * Transfers up to this many bytes are made on the spot: a thread pool hop costs more than copying them. Longer ones, and
 * everything that may wait for the disk, go to the pool, so that no other work of the hub waits.
 */
const ON_THE_SPOT_BYTES = 64 * 1024;

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
const NON_BLOCKING = constants.O_NONBLOCK ?? 0;

/** Flags of the port's modes; nothing is followed, and nothing waits for the other end of a FIFO. */
export const OPEN_FLAGS = {
  // Non-blocking, or opening a FIFO that took the file's place would wait for a writer for ever.
  read: constants.O_RDONLY | NO_FOLLOW | NON_BLOCKING,
  append: constants.O_RDWR | constants.O_APPEND | NO_FOLLOW | NON_BLOCKING,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW,
} as const;

/** Opens a regular file of the local disk; anything else is `not-a-file`. @throws {FileSystemError} */
export function openNodeFile(absolute: string, path: string, mode: 'read' | 'append'): OpenFile {
  return attempt('open', path, () => {
    const descriptor = openSync(absolute, OPEN_FLAGS[mode], 0o600);
    try {
      if (!fstatSync(descriptor).isFile()) throw new FileSystemError('not-a-file', 'open', path);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    return new NodeFile(descriptor, path);
  });
}

/**
 * Makes a new file. Unlike opening one, that changes a folder and waits for its journal: it goes to the pool, where several of a
 * first sync's files are made at a time. @throws {FileSystemError}
 */
export async function createNodeFile(absolute: string, path: string): Promise<OpenFile> {
  try {
    return new NodeFile(await openAsync(absolute, OPEN_FLAGS.create, 0o600), path);
  } catch (error) {
    throw fileSystemError('open', path, error);
  }
}

/** Who may read the file may run it, or nobody; nobody gets more than that. */
export function setExecutable(descriptor: number, executable: boolean): void {
  const mode = fstatSync(descriptor).mode & 0o777;
  const runnable = mode | ((mode & 0o444) >> 2);
  fchmodSync(descriptor, executable ? runnable : mode & ~0o111);
}

/** Runs its operations one after the other, in the order of the calls. */
class NodeFile implements OpenFile {
  readonly #descriptor: number;
  readonly #path: string;
  #tail: Promise<unknown> = Promise.resolve();
  #writeFailure: FileSystemError | null = null;
  #closed = false;

  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    this.#path = path;
  }

  read(position: number, length: number): Promise<Buffer> {
    return this.#next('read', async () => {
      const buffer = Buffer.allocUnsafeSlow(length);
      let filled = 0;
      while (filled < length) {
        const count =
          length <= ON_THE_SPOT_BYTES
            ? readSync(this.#descriptor, buffer, filled, length - filled, position + filled)
            : (await readAsync(this.#descriptor, buffer, filled, length - filled, position + filled)).bytesRead;
        if (count === 0) break;
        filled += count;
      }
      return filled === length ? buffer : buffer.subarray(0, filled);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#next('write', async () => {
      // Once a write fell short the next one would begin in the middle of a line.
      if (this.#writeFailure !== null) throw this.#writeFailure;
      try {
        let written = 0;
        while (written < bytes.byteLength) {
          const rest = bytes.byteLength - written;
          written +=
            rest <= ON_THE_SPOT_BYTES
              ? writeSync(this.#descriptor, bytes, written, rest)
              : (await writeAsync(this.#descriptor, bytes, written, rest)).bytesWritten;
        }
      } catch (error) {
        this.#writeFailure = fileSystemError('write', this.#path, error);
        throw this.#writeFailure;
      }
    });
  }

  stat(): Promise<EntryStat> {
    return this.#next('stat', async () => entryStat(fstatSync(this.#descriptor)));
  }

  setTimes(mtimeMs: number): Promise<void> {
    return this.#next('setTimes', async () => futimesSync(this.#descriptor, mtimeMs / 1000, mtimeMs / 1000));
  }

  setExecutable(executable: boolean): Promise<void> {
    return this.#next('setExecutable', async () => setExecutable(this.#descriptor, executable));
  }

  sync(): Promise<void> {
    return this.#next('sync', () => fdatasyncAsync(this.#descriptor));
  }

  close(): Promise<void> {
    if (this.#closed) return this.#tail.then(() => undefined);
    const closing = this.#next('close', async () => closeSync(this.#descriptor));
    this.#closed = true;
    return closing;
  }

  #next<T>(operation: string, task: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new FileSystemError('io', operation, this.#path, new Error('already closed')));
    const result = this.#tail.then(task).catch((error: unknown) => {
      throw fileSystemError(operation, this.#path, error);
    });
    // The next operation waits for this one, whatever became of it; who called this one gets the error.
    this.#tail = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
