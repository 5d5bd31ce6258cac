import { isUtf8 } from 'node:buffer';
import { diff3MergeRegions } from 'node-diff3';
import type { Key } from '../domain.ts';
import { piecesOf, stepsOf } from './pieces.ts';

/** A text of this size or more is not merged by lines, in bytes. */
export const MERGEABLE_BELOW_BYTES = 1_000_000;

/**
 * Upper bound of comparison steps in one merge (some 0.15 s). Texts that need more, such as thousands of equal lines that
 * nothing tells apart, count as a conflict; then the last write wins and the other one is kept.
 */
const MAX_STEPS = 1e8;

/** Outcome of a three-way merge. On a conflict nothing is half merged: the caller decides between whole files. */
export type TextMerge = { readonly kind: 'merged'; readonly content: Buffer } | { readonly kind: 'conflict' };

/**
 * Whether copies of `key` with these contents may be merged by lines: prose only (`.md`, `.txt`), below 1 MB, UTF-8, no NUL.
 * Never scripts (also not one that is called `.md`: `#!` at its start) and never JSON: lines of two valid programs can make
 * an invalid or a dangerous third one, and nobody would have written it.
 */
export function isMergeableText(key: Key, ...contents: Buffer[]): boolean {
  if (!/\.(?:md|txt)$/i.test(key)) return false;
  return contents.every(
    (content) =>
      content.length < MERGEABLE_BELOW_BYTES &&
      isUtf8(content) &&
      !content.includes(0) &&
      !content.subarray(0, 2).equals(SHEBANG),
  );
}

const SHEBANG = Buffer.from('#!');

/**
 * Three-way merge by lines. Lines that neither side changed, and each changed line, keep their bytes: line ends, a
 * byte order mark and a missing last newline are part of their line and change only where a side changed them.
 * Changes of the two sides that touch or overlap are a conflict unless they are the same.
 * The result does not depend on which side is called ours.
 */
export function mergeText(base: Buffer, ours: Buffer, theirs: Buffer): TextMerge {
  if (ours.equals(theirs) || theirs.equals(base)) return { kind: 'merged', content: ours };
  if (ours.equals(base)) return { kind: 'merged', content: theirs };
  // Anchors are chosen along one side first; a fixed order of the sides makes the choice the same for both machines.
  const [left, right] = Buffer.compare(ours, theirs) <= 0 ? [ours, theirs] : [theirs, ours];
  return mergeLines(linesOf(base), linesOf(left), linesOf(right));
}

function mergeLines(base: readonly string[], left: readonly string[], right: readonly string[]): TextMerge {
  const merged: string[] = [];
  let steps = 0;
  for (const piece of piecesOf(base, left, right)) {
    steps += stepsOf(piece);
    if (steps > MAX_STEPS) return { kind: 'conflict' };
    for (const region of diff3MergeRegions([...piece.left], [...piece.base], [...piece.right])) {
      if (!region.stable && !isEqual(region.aContent, region.bContent)) return { kind: 'conflict' };
      for (const line of region.stable ? region.bufferContent : region.aContent) merged.push(line);
    }
    if (piece.anchor !== null) merged.push(piece.anchor);
  }
  return { kind: 'merged', content: Buffer.from(merged.join(''), 'latin1') };
}

/** Lines with their ends, each byte one character: splitting and joining is exact whatever the bytes are. */
function linesOf(content: Buffer): string[] {
  return content.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at]);
}
