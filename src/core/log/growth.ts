import type { LineFact } from './record.ts';

/** What the growth of a diverged copy is made of. */
export interface Growth {
  /** Lines that the head does not have, in the copy's order: to be appended to it. */
  readonly added: readonly LineFact[];
  /** Offsets of head lines (their starts) that came back in this growth: this copy has them now. */
  readonly echoed: ReadonlySet<number>;
}

/**
 * Takes apart what a copy that has been merged once got at its end since (docs/sync.md section 4). Most of it is what that machine
 * wrote. But lines of the head can be among it: the hub appended them there and did not live to note it, or another writer got in
 * between its packets, or the head lost its newest lines in a crash and got them back from another copy. Taking those for new would
 * double them on every machine.
 *
 * A line is one of the head's when
 * - it is a record that the head has: the same uuid and the same bytes;
 * - it has no uuid, but stands beside such a record in the copy as it does in the head;
 * - it is the next of the head lines that the hub had yet to append to this copy (`awaited`), which it does in their order; or
 * - it is one of those that the hub is known to have written here (`sent`): what stood beside it may have been taken out since.
 *
 * Every other line without uuid counts as said again on purpose and is kept: the last one wins.
 *
 * @param head facts of all lines of the head
 * @param awaited whether the hub had yet to bring a head line to this copy
 * @param sent whether the hub has brought a head line to this copy since the copy was read
 */
export function takeApart(
  growth: readonly LineFact[],
  head: readonly LineFact[],
  awaited: (line: LineFact) => boolean,
  sent: (line: LineFact) => boolean = () => false,
): Growth {
  const places = placesOfRecords(growth, head);
  spread(places, growth, head, 1);
  spread(places, growth, head, -1);
  const next = awaitedIndexes(head, awaited);
  let waiting = next.next();
  growth.forEach((line, index) => {
    const place = places[index];
    if (place !== undefined) {
      while (!waiting.done && waiting.value <= place && awaited(head[place]!)) waiting = next.next();
    } else if (!waiting.done && head[waiting.value]?.hash === line.hash) {
      places[index] = waiting.value;
      waiting = next.next();
    }
  });
  recogniseSent(places, growth, head, sent);
  const echoed = new Set<number>();
  for (const place of places) if (place !== undefined) echoed.add(head[place]!.start);
  return { added: growth.filter((_, index) => places[index] === undefined), echoed };
}

/** For each line of the growth its index in the head, where it is a record that the head has. */
function placesOfRecords(growth: readonly LineFact[], head: readonly LineFact[]): (number | undefined)[] {
  const wanted = new Set<string>();
  for (const line of growth) if (line.uuid !== null) wanted.add(line.hash);
  const found = new Map<string, number>();
  head.forEach((line, index) => {
    if (line.uuid !== null && wanted.has(line.hash)) found.set(line.hash, index);
  });
  return growth.map((line) => (line.uuid === null ? undefined : found.get(line.hash)));
}

/** Lines without uuid that stand beside a recognised line as they do in the head are recognised with it. */
function spread(
  places: (number | undefined)[],
  growth: readonly LineFact[],
  head: readonly LineFact[],
  step: 1 | -1,
): void {
  const count = growth.length;
  for (let turn = 1; turn < count; turn += 1) {
    const index = step === 1 ? turn : count - 1 - turn;
    const beside = places[index - step];
    const line = growth[index];
    if (places[index] !== undefined || beside === undefined || line === undefined || line.uuid !== null) continue;
    if (head[beside + step]?.hash === line.hash) places[index] = beside + step;
  }
}

/** Lines without uuid that were sent are recognised in their order, also where others of them are missing. */
function recogniseSent(
  places: (number | undefined)[],
  growth: readonly LineFact[],
  head: readonly LineFact[],
  sent: (line: LineFact) => boolean,
): void {
  const taken = new Set(places);
  const left = head.flatMap((line, at) => (line.uuid === null && !taken.has(at) && sent(line) ? [at] : []));
  if (left.length === 0) return;
  let next = 0;
  growth.forEach((line, index) => {
    if (places[index] !== undefined || line.uuid !== null) return;
    const found = left.findIndex((at, order) => order >= next && head[at]?.hash === line.hash);
    if (found === -1) return;
    places[index] = left[found];
    next = found + 1;
  });
}

function* awaitedIndexes(
  head: readonly LineFact[],
  awaited: (line: LineFact) => boolean,
): Generator<number, undefined> {
  for (const [index, line] of head.entries()) if (awaited(line)) yield index;
  return undefined;
}
