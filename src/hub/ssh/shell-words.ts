/** Something that is to become part of a remote command holds characters that no command needs. Nothing was run. */
export class UnquotableWord extends Error {
  constructor(word: string) {
    const shown = JSON.stringify(word.slice(0, 80));
    super(
      `${shown} holds control characters and is not put into a command; nothing was run. Rename the folder or file`,
    );
    this.name = 'UnquotableWord';
  }
}

/** Control characters of C0, DEL and C1. A line break would end a command in some shells, an escape could repaint a terminal. */
const CONTROL = /\p{Cc}/u;

/**
 * `word` as one word of a POSIX shell, whatever it holds.
 * @throws {UnquotableWord} with NUL, line breaks and other control characters.
 */
export function quote(word: string): string {
  if (CONTROL.test(word)) throw new UnquotableWord(word);
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command line that runs `script` in /bin/sh, from whatever login shell the user has there: bash, zsh, dash, fish and csh read the same
 * in it. They differ in what `'`, `\`, `!` and line breaks mean between single quotes, so these (and all that is not ASCII) go as octal
 * escapes that only printf undoes. Words appended to the line are `$2`, `$3` ... in the script.
 */
export function throughSh(script: string): string {
  return `exec /bin/sh -c 'eval "$(printf %b "$1")"' sh '${inert(script)}'`;
}

function inert(script: string): string {
  let text = '';
  for (const byte of Buffer.from(script, 'utf8')) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c && byte !== 0x21;
    text += isPlain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
  }
  return text;
}
