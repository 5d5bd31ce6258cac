import { readLines, type Line } from '../../../core/log/lines.ts';
import type { Base, FileStat, Key, LogCursor, MachineName } from '../../../core/domain.ts';
import { prefixCursor } from '../logs/cursor.ts';

/** Key of the prompt history. It has no bytes of its own: its head only counts changes, the lines are in one head for each origin. */
export const HISTORY: Key = 'history';

/** Key of the head with a machine's own lines. */
export function ownKey(machine: MachineName): Key {
  return `history/${encodeURIComponent(machine)}`;
}

/** What ends a line. */
export const NEWLINE = Buffer.from('\n');

/** A line whose bytes are in memory. */
export interface WholeLine extends Line {
  readonly bytes: Buffer;
}

/** All lines of a stream; one over 64 MiB is no prompt and is left out. */
export async function readWholeLines(chunks: AsyncIterable<Uint8Array>): Promise<WholeLine[]> {
  const lines: WholeLine[] = [];
  for await (const line of readLines(chunks)) if (line.bytes !== null) lines.push({ ...line, bytes: line.bytes });
  return lines;
}

/** These lines as the bytes of a file. */
export function joined(lines: readonly { readonly bytes: Buffer }[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line.bytes, NEWLINE]));
}

/** Cursor of a file whose whole lines end at `end`, all of which are accounted for. */
export function cursorAt(end: number, tailHash: string): LogCursor {
  return { ...prefixCursor(end), tailHash };
}

/** Base of a history file of `fileBytes` bytes as `stat` saw it. */
export function historyBase(stat: FileStat, fileBytes: number, seq: number, cursor: LogCursor): Base {
  return {
    seq,
    kind: 'file',
    hash: null,
    fileBytes,
    mtimeMs: stat.mtimeMs,
    inode: stat.inode,
    executable: false,
    cursor,
  };
}
