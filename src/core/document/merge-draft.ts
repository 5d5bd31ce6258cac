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
    if (isEqual(one, other)) return void parts.push(...one);
    places += 1;
    parts.push(`<<<<<<< ${left.name}\n`, ...whole(one), '=======\n', ...whole(other), `>>>>>>> ${right.name}\n`);
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

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at]);
}
