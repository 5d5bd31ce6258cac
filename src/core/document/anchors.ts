/** A line that is the same in all three texts: its index in each. */
export interface Anchor {
  readonly base: number;
  readonly ours: number;
  readonly theirs: number;
}

/**
 * Lines that occur exactly once in each of three texts and in the same order in all of them, in that order.
 *
 * A three-way merge may be done piece by piece between them. That matters for time: the comparison behind diff3 takes
 * quadratic to cubic time where lines repeat (a document with 1,500 blank lines: 17 s), and such texts come from other
 * machines.
 */
export function findAnchors(base: readonly string[], ours: readonly string[], theirs: readonly string[]): Anchor[] {
  const inOurs = indexUnique(ours);
  const inTheirs = indexUnique(theirs);
  const candidates: Anchor[] = [];
  for (const [line, at] of indexUnique(base)) {
    const ourAt = inOurs.get(line);
    const theirAt = inTheirs.get(line);
    if (ourAt !== undefined && theirAt !== undefined) candidates.push({ base: at, ours: ourAt, theirs: theirAt });
  }
  const ordered = longestRising(candidates, (anchor) => anchor.ours);
  return longestRising(ordered, (anchor) => anchor.theirs);
}

/** Where each line is that occurs once, in the order of the text. */
function indexUnique(lines: readonly string[]): Map<string, number> {
  const seen = new Map<string, number>();
  const repeated = new Set<string>();
  for (const [at, line] of lines.entries()) {
    if (seen.has(line)) repeated.add(line);
    else seen.set(line, at);
  }
  for (const line of repeated) seen.delete(line);
  return seen;
}

/** The longest part of `items`, in their order, whose positions rise (patience sorting). */
function longestRising(items: readonly Anchor[], positionOf: (item: Anchor) => number): Anchor[] {
  interface Card {
    readonly item: Anchor;
    readonly before: Card | undefined;
  }
  const piles: Card[] = [];
  for (const item of items) {
    let low = 0;
    let high = piles.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const top = piles[middle];
      if (top && positionOf(top.item) < positionOf(item)) low = middle + 1;
      else high = middle;
    }
    piles[low] = { item, before: piles[low - 1] };
  }
  const rising: Anchor[] = [];
  for (let card = piles.at(-1); card; card = card.before) rising.push(card.item);
  return rising.reverse();
}
