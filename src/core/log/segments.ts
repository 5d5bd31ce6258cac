import { createHash } from 'node:crypto';
import type { ByteRange, Sha256 } from '../domain.ts';

/**
 * Bytes of one segment of a log. Logs are verified by segment: damage is then known to within a segment, and can be healed from a
 * machine that has that part, however far the log has grown since (docs/sync.md section 6).
 */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

/** What the first `bytes` bytes of a log were when they were last read. */
export interface SegmentHashes {
  readonly bytes: number;
  /** SHA-256 of each segment; the last one ends at `bytes` and may be shorter than the others. */
  readonly hashes: readonly Sha256[];
}

/** The segments of a log of `size` bytes, in order. */
export function segmentsOf(size: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let from = 0; from < size; from += SEGMENT_BYTES) ranges.push([from, Math.min(from + SEGMENT_BYTES, size)]);
  return ranges;
}

/**
 * SHA-256 of a segment, and of its first `mark` bytes: a segment that was not full when it was hashed first has grown since.
 * @returns `atMark` is `null` when there are fewer bytes.
 */
export async function hashSegment(
  chunks: AsyncIterable<Uint8Array>,
  mark: number,
): Promise<{ readonly bytes: number; readonly hash: Sha256; readonly atMark: Sha256 | null }> {
  const hash = createHash('sha256');
  let bytes = 0;
  let atMark = mark === 0 ? hash.copy().digest('hex') : null;
  for await (const chunk of chunks) {
    const isReached = atMark === null && bytes + chunk.byteLength >= mark;
    const before = isReached ? chunk.subarray(0, mark - bytes) : chunk;
    hash.update(before);
    if (isReached) {
      atMark = hash.copy().digest('hex');
      hash.update(chunk.subarray(before.byteLength));
    }
    bytes += chunk.byteLength;
  }
  return { bytes, hash: hash.digest('hex'), atMark };
}
