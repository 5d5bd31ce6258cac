import { createHash } from 'node:crypto';
import type { Base, FileStat, LogCursor } from '../../../core/domain.ts';
import { collect, type Excerpt } from '../excerpt.ts';
import type { MergedCursor } from './merge.ts';

/** Growth is trusted only behind the same last bytes: this many. */
export const TAIL_CHECK_BYTES = 1024;

/** Whether the copy is (as far as it goes) a prefix of the head. */
export function isPrefix(cursor: LogCursor): boolean {
  return cursor.forkKey === null && !cursor.cut && cursor.common === cursor.lineBytes && cursor.missing.length === 0;
}

/** Cursor of a copy whose first `end` bytes are the head's. */
export function prefixCursor(end: number): MergedCursor {
  return {
    lineBytes: end,
    merged: end,
    delivered: end,
    common: end,
    forkKey: null,
    missing: [],
    cut: false,
    origins: null,
  };
}

/** Base of a log copy of `fileBytes` bytes as `stat` saw it. */
export function baseOf(stat: FileStat, fileBytes: number, seq: number, cursor: LogCursor): Base {
  return { seq, kind: 'file', hash: null, ...statFacts(stat, fileBytes), executable: false, cursor };
}

/** Hash by which the last bytes before a cursor are recognised. */
export function hashTail(bytes: Uint8Array): string {
  return createHash('sha256')
    .update(bytes.subarray(Math.max(0, bytes.length - TAIL_CHECK_BYTES)))
    .digest('hex')
    .slice(0, 32);
}

/** Number of bytes that `hashTail` looks at before `end`. */
export function tailStart(end: number): number {
  return Math.max(0, end - TAIL_CHECK_BYTES);
}

/** Hash of the last bytes before `end` of an excerpt. */
export async function tailHashOf(excerpt: Excerpt, end: number): Promise<string> {
  return hashTail(await collect(excerpt.read(Math.max(excerpt.from, tailStart(end)), end)));
}

/** The facts of a file of `fileBytes` bytes that a base remembers. */
export function statFacts(stat: FileStat, fileBytes: number): Pick<Base, 'fileBytes' | 'mtimeMs' | 'inode'> {
  // Bytes that came while the copy was read make its size differ from what was read: the next look finds a change.
  return { fileBytes, mtimeMs: stat.mtimeMs, inode: stat.inode };
}
