import { parseEntry, sortUnion } from '../../../core/history/entry.ts';
import type { Base, Head, LogCursor, Pair } from '../../../core/domain.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect, once } from '../excerpt.ts';
import type { HistoryHeads } from './heads.ts';
import { cursorAt, HISTORY, historyBase, joined, NEWLINE, ownKey, readWholeLines, type WholeLine } from './lines.ts';
import { hashTail, tailStart } from '../logs/cursor.ts';
import { QUIET_MS, statOf } from '../logs/delivery.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from '../outcome.ts';

/** The CLI or another writer holds the lock: try again. */
const LOCK_RETRY_MS = 150;
/** A foreign torn tail is closed with a newline when it did not change for this long. */
const TORN_FOREIGN_MS = 10_000;

/** The outbound half of the prompt history: lines of others go to the end of a machine's file; now and then it is written anew. */
export class HistoryDelivery {
  readonly #ctx: EngineContext;
  readonly #heads: HistoryHeads;

  constructor(ctx: EngineContext, heads: HistoryHeads) {
    this.#ctx = ctx;
    this.#heads = heads;
  }

  /** Brings the file of a machine level with the head. */
  async deliver(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<Outcome> {
    return cursor.cut
      ? this.#rewrite(machine, pair, base, cursor, head)
      : this.#append(machine, pair, base, cursor, head);
  }

  /** Makes the file on a machine that has none. */
  async create(machine: MachineView, pair: Pair, head: Head): Promise<Outcome> {
    const generation = this.#ctx.generation(HISTORY);
    const { lines, origins } = await this.#heads.undelivered(machine, {}, new Set());
    const sorted = sortUnion(
      lines.map((bytes) => ({ bytes, timestampMs: parseEntry(bytes.subarray(0, -1)).timestampMs })),
    );
    const content = Buffer.concat(sorted.map((line) => line.bytes));
    if (this.#ctx.generation(HISTORY) !== generation) return LOOK;
    const outcome = await machine.replica.put(pair.path, {
      expect: { kind: 'absent' },
      content: () => once(content),
      size: content.length,
      mtimeMs: this.#now(machine),
      executable: false,
      how: 'exchange',
    });
    if (outcome.kind !== 'done') return notDone(outcome);
    const cursor = { ...cursorAt(content.length, hashTail(content)), origins };
    machine.noteDelivered({ key: HISTORY, bytes: content.length, isWhole: true });
    return this.#saveBrought(pair, historyBase(outcome.stat, content.length, head.seq, cursor), cursor, generation);
  }

  async #append(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<Outcome> {
    const generation = this.#ctx.generation(HISTORY);
    // Where `origins` does not tell all that the file holds, the file itself does.
    const found =
      cursor.common < cursor.lineBytes
        ? await readWholeLines(machine.replica.read(pair.path, 0, cursor.lineBytes))
        : undefined;
    if (found && withoutDoubles(found).length < found.length) {
      this.#save(pair, { ...base, cursor: { ...cursor, cut: true } });
      return LOOK;
    }
    const present = found && identitiesOf(found);
    const { lines, origins } = await this.#heads.undelivered(machine, present ? {} : (cursor.origins ?? {}), present);
    if (this.#ctx.generation(HISTORY) !== generation) return LOOK;
    if (lines.length === 0) {
      if (base.seq !== head.seq || present)
        this.#save(pair, { ...base, seq: head.seq, cursor: { ...cursor, common: cursor.lineBytes, origins } });
      return LEVEL;
    }
    const torn = await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes));
    const begun =
      torn.length === 0
        ? -1
        : lines.findIndex((line) => line.length > torn.length && line.subarray(0, torn.length).equals(torn));
    if (torn.length > 0 && begun < 0) return this.#closeTorn(machine, pair, base);
    // An append of ours stopped halfway: that line comes first, and only the rest of it is missing.
    const ordered = begun <= 0 ? lines : [...lines.splice(begun, 1), ...lines];
    const bytes = Buffer.concat(ordered).subarray(torn.length);
    const unlock = await machine.replica.lock(pair.path);
    if (unlock === null) return settling(LOCK_RETRY_MS);
    try {
      if (this.#ctx.generation(HISTORY) !== generation) return LOOK;
      const outcome = await machine.replica.append(pair.path, {
        expect: statOf(base),
        bytes,
        mtimeMs: this.#now(machine),
      });
      if (outcome.kind !== 'done') return notDone(outcome);
      const end = outcome.stat.size;
      const tailHash = hashTail(await collect(machine.replica.read(pair.path, tailStart(end), end)));
      const brought = { ...cursorAt(end, tailHash), origins };
      machine.noteDelivered({ key: HISTORY, bytes: bytes.length, isWhole: true });
      return this.#saveBrought(pair, historyBase(outcome.stat, end, head.seq, brought), brought, generation);
    } finally {
      await unlock();
    }
  }

  /** The whole file anew: all its own lines as they are, what it lacks, in order of time. */
  async #rewrite(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<Outcome> {
    const generation = this.#ctx.generation(HISTORY);
    const quietFor = this.#quietFor(machine);
    if (!machine.pairing && quietFor < QUIET_MS) return settling(QUIET_MS - quietFor);
    if (base.fileBytes > cursor.lineBytes && !(await this.#isBegun(machine, pair, base, cursor)))
      return this.#closeTorn(machine, pair, base);
    const unlock = await machine.replica.lock(pair.path);
    if (unlock === null) return settling(LOCK_RETRY_MS);
    try {
      const found = await this.#heads.withoutBroken(
        machine,
        await readWholeLines(machine.replica.read(pair.path, 0, cursor.lineBytes)),
      );
      const own = withoutDoubles(found.filter((line) => !this.#heads.isForgotten(line.bytes)));
      const { lines, origins } = await this.#heads.undelivered(machine, {}, identitiesOf(own));
      const all = [...own.map((line) => line.bytes), ...lines.map((line) => line.subarray(0, -1))];
      const content = joined(sortUnion(all.map((bytes) => ({ bytes, timestampMs: parseEntry(bytes).timestampMs }))));
      await this.#ctx.makeDurable(Object.keys(origins).map(ownKey));
      if (this.#ctx.generation(HISTORY) !== generation) return LOOK;
      const outcome = await machine.replica.put(pair.path, {
        expect: { kind: 'file', stat: statOf(base) },
        content: () => once(content),
        size: content.length,
        mtimeMs: this.#now(machine),
        executable: false,
        how: 'swap',
      });
      machine.noteSwap(HISTORY, null);
      if (outcome.kind !== 'done') return notDone(outcome);
      const brought = { ...cursorAt(content.length, hashTail(content)), origins };
      machine.noteDelivered({ key: HISTORY, bytes: content.length, isWhole: true });
      this.#saveBrought(pair, historyBase(outcome.stat, content.length, head.seq, brought), brought, generation);
      return LOOK;
    } finally {
      await unlock();
    }
  }

  /** A prompt that only lacks its newline becomes a line, and is entered as one, before anything is written behind or over it. */
  async #closeTorn(machine: MachineView, pair: Pair, base: Base): Promise<Outcome> {
    const quietFor = this.#quietFor(machine);
    if (quietFor < TORN_FOREIGN_MS) return settling(TORN_FOREIGN_MS - quietFor);
    const unlock = await machine.replica.lock(pair.path);
    if (unlock === null) return settling(LOCK_RETRY_MS);
    try {
      const outcome = await machine.replica.append(pair.path, {
        expect: statOf(base),
        bytes: NEWLINE,
        mtimeMs: this.#now(machine),
      });
      if (outcome.kind !== 'done') return notDone(outcome);
      // The file is read again from the torn line on.
      this.#save(pair, { ...base, fileBytes: -1 });
      return LOOK;
    } finally {
      await unlock();
    }
  }

  /** Whether the torn tail is the beginning of a line that an append of ours was to bring. */
  async #isBegun(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor): Promise<boolean> {
    const torn = await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes));
    const found = await readWholeLines(machine.replica.read(pair.path, 0, cursor.lineBytes));
    const { lines } = await this.#heads.undelivered(machine, {}, identitiesOf(found));
    return lines.some((line) => line.length > torn.length && line.subarray(0, torn.length).equals(torn));
  }

  /** What was brought of heads that were written anew meanwhile (`forget`) is not the end of it: the file is written anew, too. */
  #saveBrought(pair: Pair, base: Base, cursor: LogCursor, generation: number): Outcome {
    if (this.#ctx.generation(HISTORY) === generation) {
      this.#save(pair, base);
      return LEVEL;
    }
    this.#save(pair, { ...base, seq: 0, cursor: { ...cursor, cut: true, origins: {} } });
    return LOOK;
  }

  #quietFor(machine: MachineView): number {
    return this.#ctx.clock.now() - (machine.changedAt(HISTORY) ?? 0);
  }

  #save(pair: Pair, base: Base): void {
    this.#ctx.store.pairs.put({ ...pair, evictedSeq: null, base });
  }

  #now(machine: MachineView): number {
    return this.#ctx.clock.now() + machine.clockOffsetMs;
  }
}

function identitiesOf(lines: readonly WholeLine[]): Set<string> {
  return new Set(lines.map((line) => parseEntry(line.bytes).identity));
}

/**
 * The lines without those that stand there again, byte for byte: an append that was given up with its connection arrived late, behind the
 * same lines that were sent again since. Nobody enters the same prompt twice within a millisecond; what has no time may be said again.
 */
function withoutDoubles(lines: readonly WholeLine[]): readonly WholeLine[] {
  const seen = new Set<string>();
  return lines.filter((line) => {
    if (seen.has(line.hash)) return parseEntry(line.bytes).timestampMs === null;
    seen.add(line.hash);
    return true;
  });
}
