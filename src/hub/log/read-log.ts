import { linesAfter, linesBefore } from './line-reading.ts';
import { withLogFiles, type OpenedLogFile } from './log-files.ts';
import { matches, parseLogLine, type LogFilter, type LogLine } from './log-line.ts';

/** How far each file of a log has been read, by its id. */
export type LogPosition = ReadonlyMap<string, number>;

/** What a log holds. */
export interface LogReading {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** Lines that were met on the way and could not be read. */
  readonly broken: number;
  /** Whether there is a log at all. */
  readonly isThere: boolean;
  /** Where `readOn` and `followLog` go on, without missing or doubling a line. */
  readonly position: LogPosition;
}

/**
 * The last `most` lines of the hub's log that are wanted, over all of its files. Reads backwards and no further than it has to; holds no more
 * than those lines.
 * @param file see `hubPaths`: `logFile`.
 */
export async function readLog(file: string, most: number, filter: LogFilter = {}): Promise<LogReading> {
  return withLogFiles(file, async (files) => {
    const lines: LogLine[] = [];
    let broken = 0;
    for (const { handle, size } of files.toReversed()) {
      if (lines.length >= most) break;
      for await (const text of linesBefore(handle, size)) {
        const line = parseLogLine(text);
        if (line === null) broken += text === '' ? 0 : 1;
        else if (matches(line, filter)) lines.push(line);
        if (lines.length >= most) break;
      }
    }
    const position = new Map<string, number>();
    for (const opened of files) position.set(opened.id, await endOfLines(opened));
    return { lines: lines.reverse(), broken, isThere: files.length > 0, position };
  });
}

/**
 * What was added behind a position, in order, over all files: at most `most` lines that are wanted.
 * @param position is brought forward behind what was read.
 */
export async function readOn(
  file: string,
  position: Map<string, number>,
  most: number,
  filter: LogFilter = {},
): Promise<LogLine[]> {
  return withLogFiles(file, async (files) => {
    const lines: LogLine[] = [];
    for (const { id, handle } of files) {
      for await (const { text, end } of linesAfter(handle, position.get(id) ?? 0)) {
        position.set(id, end);
        const line = parseLogLine(text);
        if (line !== null && matches(line, filter)) lines.push(line);
        if (lines.length >= most) return lines;
      }
    }
    return lines;
  });
}

/** Just behind the last newline of a file. */
async function endOfLines({ handle, size }: OpenedLogFile): Promise<number> {
  const chunk = Buffer.alloc(65_536);
  for (let to = size; to > 0; to -= chunk.length) {
    const from = Math.max(0, to - chunk.length);
    const { bytesRead } = await handle.read(chunk, 0, to - from, from);
    const at = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (at >= 0) return from + at + 1;
  }
  return 0;
}
