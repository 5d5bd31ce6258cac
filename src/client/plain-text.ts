import { stripVTControlCharacters } from 'node:util';

/**
 * Control characters (C0 apart from newline and tab, DEL, C1), and the Unicode marks that reorder or hide text on a screen.
 * Names and messages from other machines are hostile input: none of them may move the cursor or fake a line.
 */
/* eslint-disable no-control-regex -- removing exactly these is the purpose */
const UNPRINTABLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
/* eslint-enable no-control-regex */

/** `text` without escape sequences and control characters; newlines and tabs stay. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replace(UNPRINTABLE, '');
}

/** The same on one line: newlines and tabs become spaces. */
export function plainLine(text: string): string {
  return plainText(text).replace(/[\n\t]+/g, ' ');
}

/**
 * JSON for a terminal or a pipe: the same value, with everything that `plainText` would remove written as `\uXXXX`
 * (JSON.stringify itself lets DEL, C1 and bidirectional marks through).
 */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
