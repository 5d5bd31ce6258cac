import { wholeLineBytes } from '../../core/log/lines.ts';
import type { RelativePath } from '../../core/domain.ts';
import type { Archive } from '../archive/archive.ts';
import type { Replica } from '../replica/replica.ts';

/** Up to this much of a copy is held in memory; more goes through the hub's staging folder. */
const IN_MEMORY_BYTES = 1024 * 1024;

/**
 * Bytes `[from, to)` of a machine's file as they were read once. Plans and commits work on this, never on the moving file.
 * Offsets are those of the file.
 */
export interface Excerpt {
  readonly from: number;
  readonly to: number;
  read(from: number, to: number): AsyncIterable<Buffer>;
  /** Gives staging space back. */
  release(): Promise<void>;
}

/** Reads `[from, to)` of a copy; `to` of the result is smaller when the file has become shorter. */
export async function takeExcerpt(
  replica: Pick<Replica, 'read'>,
  archive: Archive,
  path: RelativePath,
  from: number,
  to: number,
): Promise<Excerpt> {
  if (to - from <= IN_MEMORY_BYTES) {
    const chunks: Buffer[] = [];
    for await (const chunk of replica.read(path, from, to)) chunks.push(chunk);
    const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
    return bufferExcerpt(bytes, from);
  }
  const staged = await archive.stage(replica.read(path, from, to));
  return {
    from,
    to: from + staged.bytes,
    read: (start, end) => archive.readStaged(staged, start - from, end - from),
    release: () => archive.discard(staged),
  };
}

/** An excerpt over bytes in memory. */
export function bufferExcerpt(bytes: Buffer, from: number): Excerpt {
  return {
    from,
    to: from + bytes.length,
    async *read(start, end) {
      if (start < from) throw new RangeError(`an excerpt that begins at ${from} was read from ${start}`);
      const part = bytes.subarray(start - from, end - from);
      if (part.length > 0) yield part;
    },
    release: async () => {},
  };
}

/** Offset just after the last newline in `[from, excerpt.to)`; `from` when there is none. */
export async function wholeLineEnd(excerpt: Excerpt, from: number): Promise<number> {
  let to = excerpt.to;
  while (to > from) {
    const start = Math.max(from, to - 65_536);
    const part = await collect(excerpt.read(start, to));
    const whole = wholeLineBytes(part);
    if (whole > 0) return start + whole;
    to = start;
  }
  return from;
}

/** All chunks as one buffer (for small ranges only). */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** One buffer as a stream. */
export async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}
