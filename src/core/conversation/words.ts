/** A word in a text: folded, and where it stands, in UTF-16 units. */
export interface Word {
  readonly word: string;
  readonly from: number;
  readonly to: number;
}

/** Marks belong to the letter before them. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
/** Scripts that put no spaces between words: each character is one, and a search for several looks for them in a row. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}])[\p{L}\p{N}\p{M}])+/gu;
// eslint-disable-next-line no-control-regex
const BEYOND_ASCII = /[^\u0000-\u007f]/;
const ASCII_WORD = /[A-Za-z0-9]+/g;

/** Rows of this many characters without a break are data (base64, hashes in a row), not words. */
const DATA = /(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{512,}/g;

/**
 * The words of a text, in order: runs of letters and digits, without case and without accents. Texts and queries are taken apart by the same
 * rule, so a search finds exactly what contains its words.
 */
export function* wordsOf(text: string): Generator<Word, void, undefined> {
  const plain = withoutData(text);
  if (!BEYOND_ASCII.test(plain)) {
    for (const match of plain.matchAll(ASCII_WORD))
      yield { word: match[0].toLowerCase(), from: match.index, to: match.index + match[0].length };
    return;
  }
  for (const match of plain.matchAll(WORD)) {
    if (!BEYOND_ASCII.test(match[0])) {
      yield { word: match[0].toLowerCase(), from: match.index, to: match.index + match[0].length };
      continue;
    }
    for (const part of match[0].matchAll(UNSPACED)) {
      const word = folded(part[0]);
      const from = match.index + part.index;
      if (word !== '') yield { word, from, to: from + part[0].length };
    }
  }
}

/**
 * The text as the full-text index takes it: its words are exactly the runs of ASCII letters, ASCII digits and characters beyond ASCII, which
 * is how SQLite's tokenizer `ascii` takes a text apart. A text in ASCII is that already.
 */
export function indexedText(text: string): string {
  const plain = withoutData(text);
  if (!BEYOND_ASCII.test(plain)) return plain;
  const words: string[] = [];
  for (const { word } of wordsOf(plain)) words.push(word);
  return words.join(' ');
}

/** Data is replaced by as many blanks: what stands behind keeps its place. */
function withoutData(text: string): string {
  return mayHoldData(text) ? text.replace(DATA, (row) => ' '.repeat(row.length)) : text;
}

/** A row of 512 characters covers 256 in a row from a multiple of 256 on, and of ordinary text already the first few are not all of a row. */
function mayHoldData(text: string): boolean {
  for (let window = 0; window + STRIDE <= text.length; window += STRIDE) {
    let at = window;
    while (at < window + STRIDE && isData(text.charCodeAt(at))) at += 1;
    if (at === window + STRIDE) return true;
  }
  return false;
}

const STRIDE = 256;

/** Whether a character is one of `[A-Za-z0-9+/=_-]`. */
function isData(unit: number): boolean {
  return (
    (unit >= 0x61 && unit <= 0x7a) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x2f && unit <= 0x39) ||
    unit === 0x2b ||
    unit === 0x2d ||
    unit === 0x3d ||
    unit === 0x5f
  );
}

function folded(text: string): string {
  // Lower case first: it makes marks of its own.
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}+/gu, '');
}
