import type { UnixMs } from '../domain.ts';
import { takeApart } from './growth.ts';
import type { LineFact } from './record.ts';

/**
 * First merge of a diverged copy: the lines of its tail that the head's tail does not have, in the copy's order. They
 * are appended to the head, whose own lines stay where they are (docs/sync.md section 4). Both tails start after the
 * verified common prefix.
 *
 * Until the first new line the copy is still retelling the head: lines that occur there, in order, are not new, state
 * records without uuid included. After it only a record with a uuid can be recognised. A `mode` or `custom-title` line
 * with the same bytes may be said again on purpose, and the last one wins, so each is kept. One uuid with two contents
 * is two lines: both are kept.
 *
 * A known record out of order is skipped but is not news, so it does not end the retelling. Otherwise merging the same
 * copy a second time would take its state records for new ones.
 */
export function mergeTails(head: readonly LineFact[], copy: readonly LineFact[]): LineFact[] {
  const records = new Set<string>();
  const places = new Map<string, number[]>();
  head.forEach((fact, index) => {
    // The uuid is part of the hashed bytes: the same hash is the same uuid with the same bytes.
    if (fact.uuid !== null) records.add(fact.hash);
    const found = places.get(fact.hash);
    if (found === undefined) places.set(fact.hash, [index]);
    else found.push(index);
  });

  const added: LineFact[] = [];
  let next = 0;
  for (const fact of copy) {
    if (added.length === 0) {
      const place = firstFrom(places.get(fact.hash), next);
      if (place !== null) {
        next = place + 1;
        continue;
      }
    }
    if (records.has(fact.hash)) continue;
    added.push(fact);
  }
  return added;
}

/**
 * The same for a copy all of whose lines were in the head once already, and which was cut or written anew since, or whose cursor was
 * lost: what it still has of them is not news, in whatever order. A line without uuid is taken for one of the head's as long as the
 * head has it more often than the copy had it so far.
 */
export function mergeAgain(head: readonly LineFact[], copy: readonly LineFact[]): LineFact[] {
  const { added } = takeApart(copy, head, () => false);
  const left = new Map<string, number>();
  for (const fact of head) left.set(fact.hash, (left.get(fact.hash) ?? 0) + 1);
  const unknown = new Set(added);
  for (const fact of copy) if (!unknown.has(fact)) left.set(fact.hash, (left.get(fact.hash) ?? 0) - 1);
  return added.filter((fact) => {
    const count = left.get(fact.hash) ?? 0;
    if (count <= 0) return true;
    left.set(fact.hash, count - 1);
    return false;
  });
}

/**
 * Whether the conversation was compacted in these lines. A file with both branches would then cut one of them off from
 * its past, so such a divergence is forked and not merged (docs/sync.md section 4).
 */
export function hasCompaction(facts: Iterable<LineFact>): boolean {
  for (const fact of facts) {
    if (fact.type === 'system' && fact.subtype === 'compact_boundary') return true;
  }
  return false;
}

/**
 * The newest timestamp in these lines, by the clock of the machine that wrote them; records are not in order of time.
 */
export function newestActivity(facts: Iterable<LineFact>): UnixMs | null {
  let newest: UnixMs | null = null;
  for (const { timestampMs } of facts) {
    if (timestampMs !== null && (newest === null || timestampMs > newest)) newest = timestampMs;
  }
  return newest;
}

/**
 * Smallest of the ascending `places` that is not below `from`; by halving, for a line that occurs thousands of times.
 */
function firstFrom(places: readonly number[] | undefined, from: number): number | null {
  if (places === undefined) return null;
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (places[middle]! < from) low = middle + 1;
    else high = middle;
  }
  return places[low] ?? null;
}
