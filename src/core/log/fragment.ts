/** What a line that is no record is made of, as far as a line that somebody else wrote explains it. */
export type Damage =
  /** Only the beginning or only the end of that line: none of its bytes is news where the line is whole. */
  | 'piece'
  /** Something else, and then all of that line: it was written behind a torn tail. */
  | 'spliced';

/** A line shorter than this is too easily the end of another one by accident. */
const SPLICED_AT_LEAST = 16;

/**
 * Whether `damaged` is what becomes of `line` (both without newline) when its append stops halfway because the disk is full or the power
 * goes, when another writer gets in between the halves, or when a tail that was torn meanwhile is in front of it.
 */
export function damageOf(damaged: Uint8Array, line: Uint8Array): Damage | null {
  if (damaged.length === 0 || damaged.length === line.length) return null;
  if (damaged.length < line.length) return startsWith(line, damaged) || endsWith(line, damaged) ? 'piece' : null;
  return line.length >= SPLICED_AT_LEAST && endsWith(damaged, line) ? 'spliced' : null;
}

function startsWith(line: Uint8Array, part: Uint8Array): boolean {
  return Buffer.compare(line.subarray(0, part.length), part) === 0;
}

function endsWith(line: Uint8Array, part: Uint8Array): boolean {
  return Buffer.compare(line.subarray(line.length - part.length), part) === 0;
}
