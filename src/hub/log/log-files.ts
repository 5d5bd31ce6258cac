import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { numbered, numbersOf } from './file-names.ts';

/** A log's file, open. */
export interface OpenedLogFile {
  /** The same under whatever name it has. */
  readonly id: string;
  readonly handle: FileHandle;
  /** Bytes when it was opened. */
  readonly size: number;
}

/** So much of the first line tells a file from others that had its inode: each begins with another time. */
const FIRST_BYTES = 200;
const NEWLINE = 0x0a;

/** The walk ends where this many numbers in a row have no file: while one is put aside, its number is free for a moment. */
const HOLES = 3;

/**
 * Opens all files of a log that hold at least a line, runs `task` with them (oldest first), and closes them.
 *
 * They are put aside at any time: hub.log becomes .1, .1 becomes .2. So they are opened from the newest to the oldest: a file moves the same
 * way, and can be met again, but not be missed. Where it is met last is its place: by then newer ones may have come in front of it.
 */
export async function withLogFiles<T>(file: string, task: (files: readonly OpenedLogFile[]) => Promise<T>): Promise<T> {
  /** By id, the newest first. */
  const opened = new Map<string, OpenedLogFile>();
  try {
    const last = Math.max(-1, ...numbersOf(file));
    for (let number = 0, holes = 0; number <= last || holes < HOLES; number += 1) {
      const handle = await openIfThere(numbered(file, number));
      holes = handle === null ? holes + 1 : 0;
      const found = handle === null ? null : await identified(handle);
      if (found === null) continue;
      await opened.get(found.id)?.handle.close();
      opened.delete(found.id);
      opened.set(found.id, found);
    }
    return await task([...opened.values()].reverse());
  } finally {
    for (const { handle } of opened.values()) await handle.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** @returns `null` (and closes it) for one without a whole line: nothing in it can be read yet. */
async function identified(handle: FileHandle): Promise<OpenedLogFile | null> {
  let found: OpenedLogFile | null = null;
  try {
    const stat = await handle.stat({ bigint: true });
    const id = stat.isFile() ? await firstLine(handle) : null;
    if (id !== null) found = { id: `${stat.dev}:${stat.ino}:${id}`, handle, size: Number(stat.size) };
  } finally {
    if (found === null) await handle.close();
  }
  return found;
}

/** Hash of the beginning of the first line, `null` while there is no whole one. */
async function firstLine(handle: FileHandle): Promise<string | null> {
  const first = Buffer.alloc(FIRST_BYTES);
  const { bytesRead } = await handle.read(first, 0, FIRST_BYTES, 0);
  const end = first.subarray(0, bytesRead).indexOf(NEWLINE);
  if (end < 0 && bytesRead < FIRST_BYTES) return null;
  return createHash('sha256')
    .update(first.subarray(0, end < 0 ? FIRST_BYTES : end))
    .digest('hex');
}
