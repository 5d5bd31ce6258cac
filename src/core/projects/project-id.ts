import { createHash } from 'node:crypto';
import { collisionForm, unsafeReason } from '../keys/safe-path.ts';

/** Longest id in bytes of UTF-8; leaves room for a suffix within one file name. */
const MAX_BYTES = 200;

/** What stays as it is: letters and numbers of every script and a few harmless signs. */
const PLAIN = /^[\p{L}\p{M}\p{N}._@+=, ()~-]$/u;

/**
 * A project id from a name or path: one part of a key that is safe on every system and still readable
 * (`code/my.app` -> `code%2Fmy.app`). Other signs are percent-encoded as UTF-8; over-long ones are cut and end in a hash.
 */
export function encodeProjectId(name: string): string {
  if (name === '') return encodeAll('~');
  let id = '';
  for (const char of name.normalize('NFC')) id += PLAIN.test(char) ? char : encodeAll(char);
  if (Buffer.byteLength(id, 'utf8') > MAX_BYTES) id = shortened(id);
  // A dot or space at the end, or a device of Windows, is only refused for where it stands.
  if (unsafeReason(id) !== null) id = id.replace(/[. ]+$/, encodeAll);
  if (unsafeReason(id) !== null) id = encodeAll(id.charAt(0)) + id.slice(1);
  return unsafeReason(id) === null ? id : hashOf(name);
}

/**
 * `id`, or `id-2`, `id-3` ... when that is taken, also by one that differs in case alone: ids become names of folders.
 *
 * @param taken ids of the other projects
 */
export function freeProjectId(id: string, taken: Iterable<string>): string {
  const forms = new Set<string>();
  for (const other of taken) forms.add(collisionForm(other));
  let free = id;
  for (let number = 2; forms.has(collisionForm(free)); number++) free = `${id}-${number}`;
  return free;
}

function encodeAll(text: string): string {
  return [...Buffer.from(text, 'utf8')].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function shortened(id: string): string {
  const hash = hashOf(id);
  const room = MAX_BYTES - hash.length - 1;
  let start = '';
  let bytes = 0;
  for (const char of id) {
    bytes += Buffer.byteLength(char, 'utf8');
    if (bytes > room) break;
    start += char;
  }
  return `${start}-${hash}`;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
