import type { FileHandle } from 'node:fs/promises';

const CHUNK = 65_536;
/** The hub writes no longer lines; of one that is longer this much is kept, which makes it a broken one. */
const LONGEST_LINE = 1_000_000;
const NEWLINE = 0x0a;

/** A line and where the next one begins. */
export interface LineAt {
  readonly text: string;
  readonly end: number;
}

/** Whole lines of a file from a byte offset on, in order; half a line at the end is left for the next time. */
export async function* linesAfter(file: FileHandle, from: number): AsyncGenerator<LineAt, void, undefined> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let begun: Buffer[] = [];
  let kept = 0;
  for (let offset = from; ;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, offset);
    if (bytesRead === 0) return;
    let done = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0 && at < bytesRead; at = chunk.indexOf(NEWLINE, done)) {
      const text = Buffer.concat([...begun, chunk.subarray(done, at)]).toString();
      begun = [];
      kept = 0;
      done = at + 1;
      yield { text, end: offset + done };
    }
    if (kept < LONGEST_LINE) begun.push(Buffer.from(chunk.subarray(done, bytesRead)));
    kept += bytesRead - done;
    offset += bytesRead;
  }
}

/** Lines of a file that end before a byte offset, the last one first. */
export async function* linesBefore(file: FileHandle, end: number): AsyncGenerator<string, void, undefined> {
  let begun: Buffer[] = [];
  let kept = 0;
  let isFirst = true;
  for (let to = end; to > 0;) {
    const from = Math.max(0, to - CHUNK);
    const chunk = Buffer.allocUnsafe(to - from);
    const { bytesRead } = await file.read(chunk, 0, chunk.length, from);
    // Cut since it was measured: what is left of it begins a line that nobody can read.
    if (bytesRead < chunk.length) return;
    let done = chunk.length;
    for (let at = chunk.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1)) {
      const text = Buffer.concat([chunk.subarray(at + 1, done), ...begun]).toString();
      // Behind the last newline there is nothing, or half a line.
      if (!isFirst) yield text;
      isFirst = false;
      begun = [];
      kept = 0;
      done = at;
    }
    if (kept < LONGEST_LINE) begun.unshift(chunk.subarray(0, done));
    kept += done;
    to = from;
  }
  if (!isFirst) yield Buffer.concat(begun).toString();
}
