import { PART_BREAK } from './passage.ts';
import type { Word } from './words.ts';

/** A piece of a text around what was searched for. */
export interface Snippet {
  /** One line; `…` where the text goes on. */
  readonly text: string;
  /** What matched, in UTF-16 units of `text`. */
  readonly marks: readonly (readonly [from: number, to: number])[];
}

/** Length of a snippet in UTF-16 units, about two lines of a list. */
const LENGTH = 160;
/** What is shown in front of the first match. */
const LEAD = 40;

/**
 * The piece of `text` with the most matches.
 * @param matches where the text matches, in order; not empty.
 */
export function snippetOf(text: string, matches: readonly Word[]): Snippet {
  const best = densest(matches);
  let from = Math.max(0, best - LEAD);
  let to = Math.min(text.length, from + LENGTH);
  from = Math.max(0, Math.min(from, to - LENGTH));
  // Not in the middle of a word, as far as there is a blank nearby.
  if (from > 0) from = nextBlank(text, from, best);
  if (to < text.length) to = lastBlank(text, to, Math.min(to, best + LEAD));
  const lead = from > 0 ? '…' : '';
  const cut = text.slice(from, to);
  const marks: [number, number][] = [];
  for (const match of matches) {
    if (match.from < from || match.to > to) continue;
    const last = marks.at(-1);
    const [begin, end] = [match.from - from + lead.length, match.to - from + lead.length];
    if (last !== undefined && begin <= last[1]) last[1] = Math.max(last[1], end);
    else marks.push([begin, end]);
  }
  // Each break is one character and becomes one: the marks keep their places.
  return {
    text: lead + cut.replaceAll(PART_BREAK, ' ').replace(/\s/g, ' ').toWellFormed() + (to < text.length ? '…' : ''),
    marks,
  };
}

/** Start of the match that most others follow within a snippet. */
function densest(matches: readonly Word[]): number {
  let best = 0;
  let most = 0;
  for (let first = 0, end = 0; first < matches.length; first += 1) {
    while (end < matches.length && matches[end]!.to <= matches[first]!.from - LEAD + LENGTH) end += 1;
    if (end - first > most) [best, most] = [first, end - first];
  }
  return matches[best]?.from ?? 0;
}

function nextBlank(text: string, from: number, before: number): number {
  for (let at = from; at < Math.min(before, from + LEAD / 2); at += 1) if (/\s/.test(text[at]!)) return at + 1;
  return from;
}

function lastBlank(text: string, to: number, behind: number): number {
  for (let at = to; at > Math.max(behind, to - LEAD / 2); at -= 1) if (/\s/.test(text[at] ?? ' ')) return at;
  return to;
}
