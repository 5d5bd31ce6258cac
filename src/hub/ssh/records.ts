/** A path is at most 4,096 bytes, and the words before it are few. */
const MOST_RECORD_BYTES = 16 * 1024;

/** Cuts a stream of bytes into records that end with `separator`; what is longer than any record is dropped. */
export class Records {
  readonly #separator: number;
  readonly #mostBytes: number;
  #rest: Buffer = Buffer.alloc(0);
  #isDropping = false;

  constructor(separator: number, mostBytes = MOST_RECORD_BYTES) {
    this.#separator = separator;
    this.#mostBytes = mostBytes;
  }

  /** @returns the records that are complete now; `null` stands for one that was too long. */
  push(chunk: Buffer): (Buffer | null)[] {
    const records: (Buffer | null)[] = [];
    let from = 0;
    for (let at = chunk.indexOf(this.#separator); at !== -1; at = chunk.indexOf(this.#separator, from)) {
      records.push(this.#take(chunk.subarray(from, at)));
      from = at + 1;
    }
    const rest = Buffer.concat([this.#rest, chunk.subarray(from)]);
    if (this.#isDropping || rest.length > this.#mostBytes) {
      this.#isDropping = true;
      this.#rest = Buffer.alloc(0);
    } else this.#rest = rest;
    return records;
  }

  #take(end: Buffer): Buffer | null {
    const record = Buffer.concat([this.#rest, end]);
    const isTooLong = this.#isDropping || record.length > this.#mostBytes;
    this.#rest = Buffer.alloc(0);
    this.#isDropping = false;
    return isTooLong ? null : record;
  }
}
