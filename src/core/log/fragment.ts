/** What a line that is no record is made of, as far as a line that somebody else wrote explains it. */
export type Damage =
  /** Only a part of that line: none of its bytes is news where the line is whole. */
  | 'piece'
  /** Something else, and then all of that line: it was written behind a torn tail. */
  | 'spliced';

/** Anything shorter is too easily in the middle or at the end of another line by accident. */
const TELLING_BYTES = 16;

/**
 * Whether `damaged` is what becomes of `line` (both without newline) when its append stops halfway because the disk is full or the power
 * goes, when another writer gets in between the halves, or when a tail that was torn meanwhile is in front of it.
 */
export function damageOf(damaged: Uint8Array, line: Uint8Array): Damage | null {
  if (damaged.length === 0 || damaged.length === line.length) return null;
  if (damaged.length < line.length) {
    if (startsWith(line, damaged) || endsWith(line, damaged)) return 'piece';
    // It broke off, was gone on with behind another writer's line, and broke off again.
    return damaged.length >= TELLING_BYTES && Buffer.from(line).includes(Buffer.from(damaged)) ? 'piece' : null;
  }
  return line.length >= TELLING_BYTES && endsWith(damaged, line) ? 'spliced' : null;
}

function startsWith(line: Uint8Array, part: Uint8Array): boolean {
  return Buffer.compare(line.subarray(0, part.length), part) === 0;
}

function endsWith(line: Uint8Array, part: Uint8Array): boolean {
  return Buffer.compare(line.subarray(line.length - part.length), part) === 0;
}
