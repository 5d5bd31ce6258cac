import { wholeLineBytes } from './lines.ts';

/**
 * Bytes of the longest common prefix of two streams that ends just after a newline; 0 when not even one line is common.
 * This is where a divergence is *verified* to begin: sizes and dates prove nothing (docs/sync.md section 4). Reads no
 * further than the first difference, ends both streams then, and holds one chunk of each.
 */
export async function commonWholeLines(a: AsyncIterable<Uint8Array>, b: AsyncIterable<Uint8Array>): Promise<number> {
  const left = new Feed(a);
  const right = new Feed(b);
  let offset = 0;
  let common = 0;
  try {
    for (;;) {
      const [x, y] = await Promise.all([left.peek(), right.peek()]);
      const length = Math.min(x.length, y.length);
      if (length === 0) return common;
      const equal = equalBytes(x.subarray(0, length), y.subarray(0, length));
      const whole = wholeLineBytes(x.subarray(0, equal));
      if (whole > 0) common = offset + whole;
      if (equal < length) return common;
      offset += length;
      left.take(length);
      right.take(length);
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

/** Chunks of a stream that can be consumed in part. */
class Feed {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** What is at hand; empty only at the end of the stream. */
  async peek(): Promise<Uint8Array> {
    while (this.#rest.length === 0 && !this.#ended) {
      const next = await this.#chunks.next();
      if (next.done === true) this.#ended = true;
      else this.#rest = next.value;
    }
    return this.#rest;
  }

  take(length: number): void {
    this.#rest = this.#rest.subarray(length);
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#chunks.return?.();
  }
}

/**
 * How many leading bytes of two equally long arrays are equal; by halving, so that the comparison itself stays native.
 */
function equalBytes(x: Uint8Array, y: Uint8Array): number {
  if (Buffer.compare(x, y) === 0) return x.length;
  let equal = 0;
  let unequal = x.length;
  while (unequal - equal > 1) {
    const middle = (equal + unequal) >>> 1;
    if (Buffer.compare(x.subarray(equal, middle), y.subarray(equal, middle)) === 0) equal = middle;
    else unequal = middle;
  }
  return equal;
}
