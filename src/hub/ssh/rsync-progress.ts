/** How far a transfer is. */
export interface RsyncProgress {
  /** Of the files' contents, also where not all of it had to travel. */
  readonly bytes: number;
  /** Of what is known to be transferred so far. */
  readonly percent: number;
  readonly bytesPerSecond: number;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };
const MOST_REST = 1024;

/** Reads `--info=progress2`, whose lines are written over each other. */
export class ProgressReader {
  #rest = '';

  /** @returns the last progress that `text` completes, if it completes any. */
  push(text: string): RsyncProgress | null {
    const lines = (this.#rest + text).split(/[\r\n]/);
    this.#rest = (lines.pop() ?? '').slice(-MOST_REST);
    let last: RsyncProgress | null = null;
    for (const line of lines) last = parseProgress(line) ?? last;
    return last;
  }
}

/** `     1,234,567  12%   10.50MB/s    0:00:04 (xfr#1, to-chk=3/5)` */
export function parseProgress(line: string): RsyncProgress | null {
  const [, bytes, percent, rate, unit] = /^\s*([\d,.]+)\s+(\d{1,3})%\s+([\d.]+)([kMGT]?)B\/s/.exec(line) ?? [];
  if (bytes === undefined || percent === undefined || rate === undefined) return null;
  return {
    bytes: Number(bytes.replaceAll(/[,.]/g, '')),
    percent: Number(percent),
    bytesPerSecond: Math.round(Number(rate) * (UNITS[unit ?? ''] ?? 1)),
  };
}
