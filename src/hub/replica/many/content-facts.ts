import { createHash, hash as hashNow, type Hash } from 'node:crypto';
import type { Sha256 } from '../../../core/domain.ts';

/** How much of the end of a content is remembered: what a log is recognised by later (`hashTail` of the engine). */
export const TAIL_BYTES = 1024;

/** What is known of a content that was read once, from its beginning to its end. */
export interface ContentFacts {
  readonly sha256: Sha256;
  readonly bytes: number;
  /** Whether its last byte is a newline: a log without one has a torn line at its end. */
  readonly endsInNewline: boolean;
  /** Its last bytes, at most `TAIL_BYTES`. */
  readonly tail: Uint8Array;
}

/** The facts of a content that is at hand as a whole. */
export function factsOf(bytes: Uint8Array): ContentFacts {
  return {
    sha256: hashNow('sha256', bytes, 'hex'),
    bytes: bytes.length,
    endsInNewline: bytes.at(-1) === 0x0a,
    tail: Buffer.from(bytes.subarray(Math.max(0, bytes.length - TAIL_BYTES))),
  };
}

/** Takes the facts of a content as it goes by. The memory of a chunk may be used again after `add`. */
export class FactsMeter {
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #tail = Buffer.alloc(0);

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    const end = Buffer.from(chunk.subarray(Math.max(0, chunk.length - TAIL_BYTES)));
    this.#tail =
      end.length >= TAIL_BYTES
        ? end
        : Buffer.concat([this.#tail.subarray(Math.max(0, this.#tail.length + end.length - TAIL_BYTES)), end]);
  }

  facts(): ContentFacts {
    return {
      sha256: this.#hash.digest('hex'),
      bytes: this.#bytes,
      endsInNewline: this.#tail.at(-1) === 0x0a,
      tail: this.#tail,
    };
  }
}
