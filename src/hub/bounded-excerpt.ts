import { encodeExcerpt } from '../protocol/content.ts';
import { CONTENT_LIMIT_BYTES, type Excerpt } from '../protocol/shared.ts';

/** Contents in one message together, before encoding: encoded they are twice as much at most but for rows of control characters. */
const MESSAGE_BYTES = 8 * 1024 * 1024;

/** Most bytes that each of `contents` contents may have in one message. */
export function shareOfMessage(contents: number): number {
  return Math.min(CONTENT_LIMIT_BYTES, Math.floor(MESSAGE_BYTES / Math.max(1, contents)));
}

/**
 * The first `limit` bytes of a content with its true size; no more than these are held. All of it is read, because only at its
 * end is it known to be what was kept.
 * @throws {ArchiveDamaged} as the content's reader does.
 */
export async function readExcerpt(content: AsyncIterable<Uint8Array>, limit: number): Promise<Excerpt> {
  const shown: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    // A copy: a part of a chunk would keep the whole of it.
    if (size < limit) shown.push(Uint8Array.from(chunk.subarray(0, limit - size)));
    size += chunk.byteLength;
  }
  return encodeExcerpt(Buffer.concat(shown), size, limit);
}
