/** How much of what came before the marker is kept, for messages. */
const MOST_BEFORE_BYTES = 2048;

/**
 * Lets through what follows the line `marker` in a stream of bytes. Start files of shells print greetings, and nothing else tells where
 * they end.
 */
export class MarkerFilter {
  readonly #line: Buffer;
  #found = false;
  /** The last bytes before the marker. */
  before: Buffer = Buffer.alloc(0);

  constructor(marker: string) {
    this.#line = Buffer.from(`${marker}\n`);
  }

  get isFound(): boolean {
    return this.#found;
  }

  /** @returns the bytes of `chunk` that come after the marker. */
  push(chunk: Buffer): Buffer {
    if (this.#found) return chunk;
    const seen = Buffer.concat([this.before, chunk]);
    const at = seen.indexOf(this.#line);
    if (at === -1) {
      this.before = seen.subarray(-MOST_BEFORE_BYTES);
      return Buffer.alloc(0);
    }
    this.#found = true;
    this.before = seen.subarray(0, at).subarray(-MOST_BEFORE_BYTES);
    return seen.subarray(at + this.#line.length);
  }
}
