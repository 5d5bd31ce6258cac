import { createHash, type Hash } from 'node:crypto';
import type { Sha256 } from '../domain.ts';

/**
 * Bytes of one segment of a log. Long logs are verified by segment, so that growth never asks for the whole file again.
 */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

/**
 * Hashes a log by whole segments of {@link SEGMENT_BYTES}, as its bytes come. What does not fill a segment has no hash
 * yet: it may still grow, and is compared byte by byte (docs/sync.md section 6).
 */
export class SegmentHasher {
  readonly #hashes: Sha256[];
  #digest: Hash = createHash('sha256');
  #filled = 0;

  /**
   * @param from where hashing goes on: `hashes` of the segments before `offset`, which has to be where the next segment
   *   starts.
   * @throws {RangeError} when `offset` is not the end of exactly these segments; the hashes that followed would be of
   *   other bytes.
   */
  constructor(from: { readonly offset: number; readonly hashes: readonly Sha256[] }) {
    const expected = from.hashes.length * SEGMENT_BYTES;
    if (from.offset !== expected) {
      throw new RangeError(
        `${from.hashes.length} segment hashes reach to byte ${expected}, hashing cannot go on at byte ${from.offset}`,
      );
    }
    this.#hashes = [...from.hashes];
  }

  /** Takes the next bytes of the log. */
  update(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const piece = bytes.subarray(from, from + SEGMENT_BYTES - this.#filled);
      this.#digest.update(piece);
      this.#filled += piece.length;
      from += piece.length;
      if (this.#filled === SEGMENT_BYTES) {
        this.#hashes.push(this.#digest.digest('hex'));
        this.#digest = createHash('sha256');
        this.#filled = 0;
      }
    }
  }

  /** Hashes of all whole segments so far, those given at the start included. */
  hashes(): Sha256[] {
    return [...this.#hashes];
  }
}
