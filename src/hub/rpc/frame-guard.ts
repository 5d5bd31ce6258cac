import { Transform, type TransformCallback } from 'node:stream';

/** Largest message a client may send, in bytes of body. */
export const LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Longest header block of a message, in bytes; real ones have about 25. */
const LONGEST_HEADER_BYTES = 4096;

const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/** What came over the wire is not a message; the connection cannot be trusted to be in step any more and has to end. */
export class BadFrame extends Error {
  constructor(reason: string) {
    super(`not a JSON-RPC frame: ${reason}`);
    this.name = 'BadFrame';
  }
}

/**
 * Lets well-formed Content-Length frames through and fails with `BadFrame` on anything else. It stands before the library's
 * reader because that one buffers whatever length it is told, and headers without an end, for as long as they come.
 */
export class FrameGuard extends Transform {
  readonly #limit: number;
  #header: Buffer = Buffer.alloc(0);
  #bodyLeft = 0;

  /** @param limit largest body in bytes. */
  constructor(limit: number = LARGEST_MESSAGE_BYTES) {
    super();
    this.#limit = limit;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#pass(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #pass(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#bodyLeft > 0) {
        const body = rest.subarray(0, this.#bodyLeft);
        this.#bodyLeft -= body.length;
        this.push(body);
        rest = rest.subarray(body.length);
        continue;
      }
      const before = this.#header.length;
      const held = before === 0 ? rest : Buffer.concat([this.#header, rest]);
      // The end may lie across two chunks, so the last three bytes of the earlier one are searched again.
      const end = held.indexOf(END_OF_HEADERS, Math.max(0, before - 3));
      const headerBytes = end < 0 ? held.length : end + END_OF_HEADERS.length;
      if (headerBytes > LONGEST_HEADER_BYTES) throw new BadFrame(`headers over ${LONGEST_HEADER_BYTES} bytes`);
      if (end < 0) {
        this.#header = Buffer.from(held);
        return;
      }
      const header = held.subarray(0, headerBytes);
      this.#bodyLeft = bodyLength(header.toString('latin1'), this.#limit);
      this.#header = Buffer.alloc(0);
      this.push(header);
      rest = held.subarray(headerBytes);
    }
  }
}

/** Length of the body that `header` announces. */
function bodyLength(header: string, limit: number): number {
  let length: number | null = null;
  for (const line of header.split('\r\n')) {
    if (line === '') continue;
    const [, name, value] = /^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new BadFrame('a header line without a name');
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (length !== null) throw new BadFrame('two lengths');
      if (!/^[0-9]{1,10}$/.test(value)) throw new BadFrame('a length that is not a number');
      length = Number(value);
    } else if (lower !== 'content-type') {
      throw new BadFrame('an unknown header');
    }
  }
  if (length === null) throw new BadFrame('no length');
  if (length === 0) throw new BadFrame('an empty body');
  if (length > limit) throw new BadFrame(`a body of ${length} bytes, the limit is ${limit}`);
  return length;
}
