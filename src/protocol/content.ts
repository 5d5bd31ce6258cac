import { Buffer } from 'node:buffer';
import { CONTENT_LIMIT_BYTES, type Content, type Excerpt } from './shared.ts';

/** Wraps bytes for a message without changing any of them. */
export function encodeContent(bytes: Uint8Array): Content {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(buffer)) return { encoding: 'utf8', data: text };
  return { encoding: 'base64', data: buffer.toString('base64') };
}

/**
 * The first `limit` bytes of a content, marked as cut off when there is more.
 * @param bytes at least the first `limit` bytes.
 * @param size true size of the content in bytes.
 */
export function encodeExcerpt(
  bytes: Uint8Array,
  size: number = bytes.byteLength,
  limit = CONTENT_LIMIT_BYTES,
): Excerpt {
  const shown = bytes.byteLength > limit ? bytes.subarray(0, limit) : bytes;
  return { ...encodeContent(shown), bytes: size, truncated: shown.byteLength < size };
}

/** The bytes that `encodeContent` was given. */
export function decodeContent(content: Content): Buffer {
  return Buffer.from(content.data, content.encoding);
}
