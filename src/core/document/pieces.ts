import { findAnchors } from './anchors.ts';

/** A part of three texts, as lines. */
export interface Piece {
  readonly base: readonly string[];
  readonly left: readonly string[];
  readonly right: readonly string[];
  /** The line behind the piece that all three have; `null` at the end. */
  readonly anchor: string | null;
}

/** The pieces between lines that are the same in all three texts and occur once in each (`findAnchors`), in their order. */
export function* piecesOf(
  base: readonly string[],
  left: readonly string[],
  right: readonly string[],
): Generator<Piece> {
  let done = { base: 0, ours: 0, theirs: 0 };
  const end = { base: base.length, ours: left.length, theirs: right.length };
  for (const anchor of [...findAnchors(base, left, right), end]) {
    yield {
      base: base.slice(done.base, anchor.base),
      left: left.slice(done.ours, anchor.ours),
      right: right.slice(done.theirs, anchor.theirs),
      anchor: anchor === end ? null : (base[anchor.base] ?? null),
    };
    done = { base: anchor.base + 1, ours: anchor.ours + 1, theirs: anchor.theirs + 1 };
  }
}

/** How many steps the comparison of a piece takes at most (`diff3MergeRegions`). */
export function stepsOf({ base, left, right }: Piece): number {
  return stepsOfTwo(base, left) + stepsOfTwo(base, right);
}

function stepsOfTwo(a: readonly string[], b: readonly string[]): number {
  const occurrences = new Map<string, number>();
  for (const line of b) occurrences.set(line, (occurrences.get(line) ?? 0) + 1);
  let matches = 0;
  for (const line of a) matches += occurrences.get(line) ?? 0;
  return matches * Math.min(a.length, b.length);
}
