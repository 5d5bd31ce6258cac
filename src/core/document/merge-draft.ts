import { diff3MergeRegions } from 'node-diff3';
import { piecesOf, stepsOf, type Piece } from './pieces.ts';

/** A piece that takes more comparison steps is left to the user whole (some 0.05 s). */
const MAX_STEPS = 3e7;

/** One side of a merge that a person finishes. */
export interface DraftSide {
  /** What stands behind its markers. */
  readonly name: string;
  readonly text: string;
}

/** A text to be finished by hand. */
export interface MergeDraft {
  /** With `<<<<<<<`, `=======` and `>>>>>>>` around what the sides have in different ways. */
  readonly text: string;
  /** How many such places there are. */
  readonly places: number;
}

/**
 * What two sides come to as far as that can be said, and both of them where it cannot, between the markers that editors know. Lines keep
 * their ends. Without a base nobody knows which side changed: then only what both have is settled.
 */
export function mergeDraft(base: string | null, left: DraftSide, right: DraftSide): MergeDraft {
  const [ours, theirs] = [linesOf(left.text), linesOf(right.text)];
  const parts: string[] = [];
  let places = 0;
  const put = (one: readonly string[], other: readonly string[]): void => {
    const { before, middle, after } = apart(one, other);
    parts.push(...before);
    if (middle !== null) {
      const [mine, yours] = middle;
      parts.push(`<<<<<<< ${left.name}\n`, ...whole(mine), '=======\n', ...whole(yours), `>>>>>>> ${right.name}\n`);
      places += 1;
    }
    parts.push(...after);
  };
  for (const piece of piecesOf(base === null ? ours : linesOf(base), ours, theirs)) {
    if (base === null || stepsOf(piece) > MAX_STEPS) put(piece.left, piece.right);
    else for (const region of regionsOf(piece)) put(...region);
    if (piece.anchor !== null) parts.push(piece.anchor);
  }
  return { text: parts.join(''), places };
}

/**
 * Line (from 1) of the first marker that is left; `null` where none is. Only those of these sides: a text may be about markers, and a row of `=`
 * is a heading of Markdown.
 */
export function firstMarker(text: string, names: readonly string[]): number | null {
  const markers = new Set(names.flatMap((name) => [`<<<<<<< ${name}`, `>>>>>>> ${name}`]));
  const at = linesOf(text).findIndex((line) => markers.has(line.trimEnd()));
  return at === -1 ? null : at + 1;
}

function* regionsOf({ base, left, right }: Piece): Generator<[readonly string[], readonly string[]]> {
  for (const region of diff3MergeRegions([...left], [...base], [...right])) {
    if (region.stable) yield [region.bufferContent, region.bufferContent];
    else yield [region.aContent, region.bContent];
  }
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** With an end on its last line, so that a marker begins a line of its own. */
function whole(lines: readonly string[]): string[] {
  const last = lines.at(-1);
  return last === undefined || last.endsWith('\n') ? [...lines] : [...lines.slice(0, -1), `${last}\n`];
}

/** What two runs of lines have in common at their ends, and what is between; `middle` is `null` where nothing is. */
function apart(
  one: readonly string[],
  other: readonly string[],
): { before: readonly string[]; middle: [readonly string[], readonly string[]] | null; after: readonly string[] } {
  const least = Math.min(one.length, other.length);
  let first = 0;
  while (first < least && one[first] === other[first]) first += 1;
  let last = 0;
  while (last < least - first && one.at(-1 - last) === other.at(-1 - last)) last += 1;
  const rest = (lines: readonly string[]): readonly string[] => lines.slice(first, lines.length - last);
  const middle: [readonly string[], readonly string[]] = [rest(one), rest(other)];
  const isSame = middle.every((lines) => lines.length === 0);
  return { before: one.slice(0, first), middle: isSame ? null : middle, after: one.slice(one.length - last) };
}
