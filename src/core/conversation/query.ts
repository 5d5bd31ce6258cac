import { PART_BREAK } from './passage.ts';
import { wordsOf, type Word } from './words.ts';

/**
 * One thing that has to be in a passage: words in a row. The last one may go on when `isPrefix` (`migr` finds `migration`).
 */
export interface Term {
  readonly words: readonly string[];
  readonly isPrefix: boolean;
}

/** A search: every term of `wanted`, none of `unwanted`. */
export interface Query {
  readonly wanted: readonly Term[];
  readonly unwanted: readonly Term[];
}

/** Shorter words are meant whole: nearly every text has a word that begins with a given letter. */
const SHORTEST_PREFIX = 2;
/** What comes behind that many terms is not looked at. */
const MOST_TERMS = 32;

/**
 * Reads what a user typed: words, `"words in a row"`, and `-word` for what must not be there. Words outside of quotes match whatever begins
 * with them. `foo_bar.ts` is three words in a row. Total: any text is a query, perhaps an empty one.
 */
export function parseQuery(text: string): Query {
  const wanted: Term[] = [];
  const unwanted: Term[] = [];
  for (const match of text.slice(0, 1000).matchAll(/(-?)(?:"([^"]*)"?|([^\s"]+))/g)) {
    const [, minus, quoted, plain] = match;
    const words = [...wordsOf(quoted ?? plain ?? '')].map(({ word }) => word);
    const last = words.at(-1);
    if (last === undefined || wanted.length + unwanted.length >= MOST_TERMS) continue;
    const isPrefix = quoted === undefined && [...last].length >= SHORTEST_PREFIX;
    (minus === '-' ? unwanted : wanted).push({ words, isPrefix });
  }
  return { wanted, unwanted };
}

/** Whether passages can be told to match by the presence of words alone: each term is a single word. */
export function isPlain({ wanted, unwanted }: Query): boolean {
  return [...wanted, ...unwanted].every(({ words }) => words.length === 1);
}

/** Where the terms of a query stand in a text; `null` when it does not match. The definition of what a search finds. */
export function matchesIn(text: string, { wanted, unwanted }: Query): Word[] | null {
  if (wanted.length === 0) return null;
  const words = [...wordsOf(text)];
  if (unwanted.some((term) => placesOf(term, words, text).length > 0)) return null;
  const found: Word[] = [];
  for (const term of wanted) {
    const places = placesOf(term, words, text);
    if (places.length === 0) return null;
    found.push(...places);
  }
  return found.sort((one, other) => one.from - other.from);
}

function placesOf({ words, isPrefix }: Term, text: readonly Word[], whole: string): Word[] {
  const found: Word[] = [];
  const first = words[0]!;
  const rest = words.length - 1;
  for (let at = 0; at + rest < text.length; at += 1) {
    if (!fits(text[at]!.word, first, isPrefix && rest === 0)) continue;
    let far = 1;
    while (
      far <= rest &&
      fits(text[at + far]!.word, words[far]!, isPrefix && far === rest) &&
      !whole.slice(text[at + far - 1]!.to, text[at + far]!.from).includes(PART_BREAK)
    )
      far += 1;
    if (far > rest) found.push({ word: first, from: text[at]!.from, to: text[at + rest]!.to });
  }
  return found;
}

function fits(word: string, wanted: string, isPrefix: boolean): boolean {
  return isPrefix ? word.startsWith(wanted) : word === wanted;
}
