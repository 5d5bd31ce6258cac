import { createHash, hash, type Hash } from 'node:crypto';

/**
 * Longest line, in bytes without its newline, whose bytes are held in memory (64 MiB). Images are kept inside lines, so
 * real ones come near this; what is longer is synced as opaque bytes (docs/sync.md section 7) and known by its hash
 * alone.
 */
export const LINE_LIMIT = 64 * 1024 * 1024;

/** The only byte that ends a line of a log; `\r`, U+2028 and the like are content. */
const NEWLINE = 0x0a;

/** One line of a log as it lies in the file. */
export interface Line {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset just after the line, its newline included when it has one. */
  readonly end: number;
  /** Whether a newline ends it. Only the last line of a file can lack one: it is torn or still being written. */
  readonly terminated: boolean;
  /**
   * The bytes without the newline; `null` when there are more of them than the limit. They may share memory with the
   * chunk that was read, so copy them when the stream reads into one buffer again and again, or when a few short lines
   * would keep many chunks.
   */
  readonly bytes: Buffer | null;
  /** First 32 hex digits of the SHA-256 of the bytes without the newline, also of an over-long line. */
  readonly hash: string;
}

/** @see readLines */
export interface ReadLinesOptions {
  /** Replaces {@link LINE_LIMIT}. */
  readonly lineLimit?: number;
}

/**
 * Splits a stream into lines, on byte 0x0A only. Laid end to end the lines are the stream again: nothing is dropped,
 * not even empty lines. Holds one line and one chunk at most, and work is linear in the bytes however they are cut into
 * chunks. A producer may read into the memory of a chunk again once the next one is asked for.
 *
 * @param start offset of the stream's first byte in the file; it has to be the start of a line.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  start = 0,
  options: ReadLinesOptions = {},
): AsyncGenerator<Line, void, undefined> {
  const limit = options.lineLimit ?? LINE_LIMIT;
  let unfinished = new UnfinishedLine(limit);
  let offset = start;
  for await (const chunk of chunks) {
    const bytes = asBuffer(chunk);
    let from = 0;
    for (let newline = bytes.indexOf(NEWLINE); newline >= 0; newline = bytes.indexOf(NEWLINE, from)) {
      const piece = bytes.subarray(from, newline);
      const end = offset + unfinished.length + piece.length + 1;
      if (unfinished.length === 0 && piece.length <= limit) {
        yield { start: offset, end, terminated: true, bytes: piece, hash: lineHash(piece) };
      } else {
        unfinished.add(piece);
        yield { start: offset, end, terminated: true, ...unfinished.finish() };
        unfinished = new UnfinishedLine(limit);
      }
      offset = end;
      from = newline + 1;
    }
    // A copy, so that it survives a producer that reads into the same memory again.
    if (from < bytes.length)
      unfinished.add(unfinished.overlong ? bytes.subarray(from) : Buffer.from(bytes.subarray(from)));
  }
  if (unfinished.length > 0) {
    yield { start: offset, end: offset + unfinished.length, terminated: false, ...unfinished.finish() };
  }
}

/** Bytes of `buffer` up to and with its last newline: the whole lines in it; 0 when there is none. */
export function wholeLineBytes(buffer: Uint8Array): number {
  return buffer.lastIndexOf(NEWLINE) + 1;
}

/**
 * Bytes of the lines at the beginning of `buffer` that are each at most `longest` bytes with their newline; 0 when the first is longer.
 * @param buffer whole lines.
 */
export function fittingLineBytes(buffer: Buffer, longest: number): number {
  if (buffer.length <= longest) return buffer.length;
  let from = 0;
  while (from < buffer.length) {
    // Most lines are short: the last newline within reach is as good as each before it.
    const to = buffer.length - from <= longest ? buffer.length : buffer.lastIndexOf(NEWLINE, from + longest - 1) + 1;
    if (to <= from) return from;
    from = to;
  }
  return from;
}

/** A line that came in several pieces. Once it is over the limit its pieces go, and only the hash is carried on. */
class UnfinishedLine {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #digest: Hash | null = null;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  get overlong(): boolean {
    return this.#digest !== null;
  }

  add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#digest === null && this.#length > this.#limit) {
      this.#digest = createHash('sha256');
      for (const earlier of this.#pieces) this.#digest.update(earlier);
      this.#pieces = [];
    }
    if (this.#digest === null) this.#pieces.push(piece);
    else this.#digest.update(piece);
  }

  finish(): Pick<Line, 'bytes' | 'hash'> {
    if (this.#digest !== null) return { bytes: null, hash: this.#digest.digest('hex').slice(0, 32) };
    const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#length);
    return { bytes, hash: lineHash(bytes) };
  }
}

function lineHash(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex').slice(0, 32);
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
