import { plainLine } from '../client/plain-text.ts';

/**
 * A compact table: columns as wide as their widest cell, two spaces between, nothing after the last. Cells are stripped of
 * control characters before they are measured; `paint` colours a padded cell (row -1 is the heading).
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (padded: string, column: number, row: number) => string = (padded) => padded,
): string {
  const cells = [heading, ...rows].map((row) => row.map(plainLine));
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
  return cells
    .map((row, index) =>
      row
        .map((cell, column) => {
          const last = column === row.length - 1;
          return paint(last ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)), column, index - 1);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Columns on the screen, one per code point: names wider than that only shift their own row. */
function width(text: string): number {
  return [...text].length;
}
