import { rewriteSessionId } from './fork.ts';
import { LINE_LIMIT } from './lines.ts';

const NEWLINE_BYTE = 0x0a;
const NEWLINE = Buffer.from('\n');

/**
 * A log as it would be in another session: every line with its session id replaced (see `rewriteSessionId`), every other byte as
 * it was, a newline behind the last line. Lines over the limit are passed on as they are, because they are never read whole
 * (docs/sync.md section 7). Holds one line and one chunk at most.
 *
 * @param lineLimit longest line, in bytes without its newline, that is looked into; default `LINE_LIMIT`.
 */
export async function* readdressed(
  chunks: AsyncIterable<Uint8Array>,
  from: string,
  to: string,
  lineLimit: number = LINE_LIMIT,
): AsyncGenerator<Buffer, void, undefined> {
  let line = new OpenLine(lineLimit);
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const ready: Buffer[] = [];
    let at = 0;
    for (let newline = bytes.indexOf(NEWLINE_BYTE); newline >= 0; newline = bytes.indexOf(NEWLINE_BYTE, at)) {
      ready.push(...line.add(bytes.subarray(at, newline)), ...line.finish(from, to), NEWLINE);
      line = new OpenLine(lineLimit);
      at = newline + 1;
    }
    // A copy, so that it survives a producer that reads into the same memory again.
    if (at < bytes.length) ready.push(...line.add(Buffer.from(bytes.subarray(at))));
    yield* gathered(ready);
  }
  if (line.length > 0) yield* gathered([...line.finish(from, to), NEWLINE]);
}

/** A line of which the end has not come yet. */
class OpenLine {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns what can be passed on already: everything, once the line is too long to be looked into. */
  add(piece: Buffer): Buffer[] {
    this.length += piece.length;
    this.#pieces.push(piece);
    return this.length > this.#limit ? this.#pieces.splice(0) : [];
  }

  /** @returns what was not passed on yet. */
  finish(from: string, to: string): Buffer[] {
    return this.length > this.#limit ? [] : [rewriteSessionId(Buffer.concat(this.#pieces), from, to)];
  }
}

/** Small pieces become few large ones, of about a MiB; nothing is copied that is larger already. */
function* gathered(pieces: readonly Buffer[]): Generator<Buffer> {
  let group: Buffer[] = [];
  let size = 0;
  for (const piece of pieces) {
    group.push(piece);
    size += piece.length;
    if (size < 1024 * 1024) continue;
    yield group.length === 1 ? piece : Buffer.concat(group);
    group = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(group);
}
