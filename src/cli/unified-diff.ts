import { diffIndices } from 'node-diff3';

const CONTEXT_LINES = 3;

/** More lines than this on one side are not compared: the comparison takes time in proportion to their product. */
const MOST_LINES = 20_000;

/** One side of a diff. */
export interface DiffSide {
  readonly name: string;
  /** `null`: there is nothing (deleted, or not there yet). */
  readonly text: string | null;
}

/**
 * A unified diff with three lines of context, as `diff -u` prints it (without times); the empty string when nothing differs.
 * Text of machines goes through as it is: strip it before showing.
 */
export function unifiedDiff(from: DiffSide, to: DiffSide): string {
  const a = linesOf(from.text ?? '');
  const b = linesOf(to.text ?? '');
  const header = `--- ${from.text === null ? '/dev/null' : from.name}\n+++ ${to.text === null ? '/dev/null' : to.name}`;
  if (a.length > MOST_LINES || b.length > MOST_LINES) return `${header}\n(too long to compare here)`;
  const changes = diffIndices(a, b).map((change) => ({
    a: change.buffer1[0],
    aLength: change.buffer1[1],
    b: change.buffer2[0],
    bLength: change.buffer2[1],
  }));
  if (changes.length === 0) return from.text === to.text ? '' : header;
  const output = [header];
  for (let first = 0; first < changes.length;) {
    let last = first;
    // Changes whose contexts touch share a hunk.
    while (last + 1 < changes.length && at(changes, last + 1).a - end(at(changes, last)) <= 2 * CONTEXT_LINES)
      last += 1;
    const aStart = Math.max(0, at(changes, first).a - CONTEXT_LINES);
    const aEnd = Math.min(a.length, end(at(changes, last)) + CONTEXT_LINES);
    const bStart = at(changes, first).b - (at(changes, first).a - aStart);
    const body: string[] = [];
    let position = aStart;
    for (const change of changes.slice(first, last + 1)) {
      body.push(...a.slice(position, change.a).map((line) => ` ${line}`));
      body.push(...a.slice(change.a, end(change)).map((line) => `-${line}`));
      body.push(...b.slice(change.b, change.b + change.bLength).map((line) => `+${line}`));
      position = end(change);
    }
    body.push(...a.slice(position, aEnd).map((line) => ` ${line}`));
    const bLength = body.filter((line) => !line.startsWith('-')).length;
    output.push(`@@ -${range(aStart, aEnd - aStart)} +${range(bStart, bLength)} @@`, ...body);
    first = last + 1;
  }
  return output.join('\n');
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}

function end(change: { readonly a: number; readonly aLength: number }): number {
  return change.a + change.aLength;
}

/** Position and length of a hunk: an empty one names the line before it, as `diff` does. */
function range(start: number, length: number): string {
  const line = length === 0 ? start : start + 1;
  return length === 1 ? `${line}` : `${line},${length}`;
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  const last = lines.pop();
  if (last !== undefined && last !== '') lines.push(`${last} (no newline at the end)`);
  return lines;
}
