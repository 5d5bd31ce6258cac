import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem, OpenFile } from '../ports/file-system.ts';
import type { KnownFolders } from './known-folders.ts';
import { walk } from './safe-walk.ts';

/** Largest piece that is held at a time. */
export const CHUNK_BYTES = 1024 * 1024;

/** What was done before a file is read. */
export interface Ahead {
  /** See `OpenAhead`; the file is the reader's from then on. */
  readonly takeOpened: () => Promise<OpenFile> | null;
  readonly known: KnownFolders | null;
}

const NOTHING_AHEAD: Ahead = { takeOpened: () => null, known: null };

/**
 * Bytes `[from, to)` of a regular file in chunks of at most `CHUNK_BYTES`, over one handle; ends early when the file is
 * shorter. The next chunk is on its way while the reader works on the present one. Leaving the loop early closes the file.
 * @param opened the file, when it was opened before; it is closed here.
 * @throws {FileSystemError}
 */
export async function* readBytes(
  fs: FileSystem,
  path: string,
  from: number,
  to: number,
  opened: Promise<OpenFile> | null = null,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await (opened ?? fs.open(path, 'read'));
  try {
    let position = from;
    let current = position < to ? file.read(position, Math.min(CHUNK_BYTES, to - position)) : null;
    while (current !== null) {
      const asked = Math.min(CHUNK_BYTES, to - position);
      const chunk: Buffer = await current;
      if (chunk.length === 0) return;
      position += chunk.length;
      const ahead: Promise<Buffer> | null =
        position < to && chunk.length === asked ? file.read(position, Math.min(CHUNK_BYTES, to - position)) : null;
      // It may fail while the reader is busy elsewhere; the failure is seen when its turn comes.
      ahead?.catch(() => undefined);
      yield chunk;
      current = ahead;
    }
  } finally {
    await file.close();
  }
}

/**
 * Like `readBytes`, for a path of the tree: every component is looked at, at the same time as the file is opened.
 * @param ahead what was opened and seen before.
 * @throws {FileSystemError} `not-a-file` for what is refused, `missing` for what is absent.
 */
export async function* readTreeFile(
  fs: FileSystem,
  path: RelativePath,
  from: number,
  to: number,
  ahead: Ahead = NOTHING_AHEAD,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = readBytes(fs, path, from, to, ahead.takeOpened());
  const first = bytes.next();
  // Looked after below, once it is known that the path may be read at all.
  first.catch(() => undefined);
  try {
    const { end } = await walk(fs, path, ahead.known);
    if (end.kind === 'absent') throw new FileSystemError('missing', 'read', path);
    if (end.kind === 'unknown') throw new FileSystemError('io', 'read', path, new Error(end.reason));
    if (end.kind !== 'file') {
      throw new FileSystemError('not-a-file', 'read', path, end.kind === 'refused' ? new Error(end.reason) : undefined);
    }
    const { done, value } = await first;
    if (done === true) return;
    yield value;
    yield* bytes;
  } finally {
    await first.catch(() => undefined);
    await bytes.return();
  }
}
