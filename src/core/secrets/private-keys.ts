import type { SecretSpan } from './mask.ts';

const BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/;
/** The longest keys in use have about 13,000 characters. */
const LONGEST = 20_000;

/**
 * PEM and PGP private keys, frame included. One without an end was cut: everything behind its beginning counts as key, because
 * its lines have no looks of their own.
 */
export function findPrivateKeys(text: string): SecretSpan[] {
  const found: SecretSpan[] = [];
  let free = 0;
  for (const { index } of text.matchAll(BEGIN)) {
    if (index < free) continue;
    const end = END.exec(text.slice(index, index + LONGEST));
    free = end === null ? Math.min(text.length, index + LONGEST) : index + end.index + end[0].length;
    found.push({ kind: 'private-key', from: index, to: free });
  }
  return found;
}
