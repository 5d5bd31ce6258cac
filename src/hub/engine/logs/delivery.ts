import { fittingLineBytes, wholeLineBytes } from '../../../core/log/lines.ts';
import type { Base, ByteRange, FileStat, Head, LogCursor, Pair, RelativePath } from '../../../core/domain.ts';
import type { AppendRequest, PutRequest, WriteOutcome } from '../../replica/replica.ts';
import { sessionOf, type EngineContext, type MachineView } from '../context.ts';
import { collect } from '../excerpt.ts';
import { baseOf, hashTail, isPrefix, prefixCursor, tailStart } from './cursor.ts';
import { HeadReplaced, PIECE_BYTES, readHead } from './heads.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from '../outcome.ts';

/** A diverged copy is replaced when nothing was written to it for this long. */
export const QUIET_MS = 2_000;
/** A foreign torn tail is closed with a newline when it did not change for this long. */
const TORN_FOREIGN_MS = 10_000;
/** How often a copy that waits for its session to end is thought of again. */
const LIVE_RECHECK_MS = 5_000;
/** Longest line that is appended in one piece; longer ones travel by replace. */
const LONGEST_PIECE_BYTES = 64 * PIECE_BYTES;

/**
 * The outbound half for logs: brings a copy level with the head. Copies that are a prefix of the head are only ever appended to;
 * a diverged copy gets what it lacks at its end while its session is open and is replaced when it is quiet.
 */
export class LogDelivery {
  readonly #ctx: EngineContext;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  async deliver(machine: MachineView, pair: Pair, head: Head): Promise<Outcome> {
    // Together with `head`, before anything is waited for: what is sent of a head that is replaced meanwhile counts for nothing.
    const generation = this.#ctx.generation(pair.key);
    const { base } = pair;
    try {
      if (base === null || base.kind === 'absent' || base.cursor === null)
        return await this.#create(machine, pair, head, generation);
      if (isPrefix(base.cursor)) return await this.#append(machine, pair, base, base.cursor, head, generation);
      return await this.#repair(machine, pair, base, base.cursor, head, generation);
    } catch (error) {
      if (error instanceof HeadReplaced) return LOOK;
      throw error;
    }
  }

  #create(machine: MachineView, pair: Pair, head: Head, generation: number): Promise<Outcome> {
    return this.#putWhole(machine, pair, head, generation, { expect: { kind: 'absent' }, how: 'exchange' });
  }

  /** The whole head takes the place of what is expected there. */
  async #putWhole(
    machine: MachineView,
    pair: Pair,
    head: Head,
    generation: number,
    place: Pick<PutRequest, 'expect' | 'how'>,
  ): Promise<Outcome> {
    const outcome = await machine.replica.put(pair.path, {
      ...place,
      content: () => readHead(this.#ctx, pair.key, [0, head.size], generation),
      source: this.#ctx.archive.localPath(pair.key),
      size: head.size,
      mtimeMs: this.#mtime(machine, head),
      executable: false,
    });
    // Whatever is there now: where somebody wrote to the new file at once the old one may have got something as well.
    if (place.how === 'swap') {
      const before = outcome.kind === 'done' ? null : machine.swappedFork(pair.key);
      machine.noteSwap(pair.key, pair.base?.cursor?.forkKey ?? before);
    }
    if (outcome.kind !== 'done') return notDone(outcome);
    await this.#savePrefix(machine, pair, outcome.stat, head.size, head.seq, null, generation);
    machine.noteDelivered({ key: pair.key, bytes: head.size, isWhole: true });
    return LEVEL;
  }

  /** The copy is the first `cursor.common` bytes of the head: the rest is added at its end. */
  async #append(
    machine: MachineView,
    pair: Pair,
    base: Base,
    cursor: LogCursor,
    head: Head,
    generation: number,
  ): Promise<Outcome> {
    let at = cursor.common;
    let expect = statOf(base);
    let tornBytes = 0;
    if (at < head.size && base.fileBytes > cursor.lineBytes && this.#ctx.guards.on('torn-target')) {
      const torn = await this.#torn(machine, pair, base, cursor, head);
      if (typeof torn !== 'number') return torn;
      tornBytes = torn;
    }
    let tail: Buffer | null = null;
    while (at < head.size) {
      const piece = await this.#piece(machine, pair, at, head.size, generation);
      if (piece === null) return this.#replaceWhenQuiet(machine, pair, base, head, generation);
      const outcome = await appendTo(machine, pair.path, {
        expect,
        bytes: piece.subarray(tornBytes),
        mtimeMs: this.#mtime(machine, head),
      });
      if (outcome.kind !== 'done') {
        this.#noteSent(machine, pair, outcome, generation, [at, at + piece.length]);
        return notDone(outcome);
      }
      tornBytes = 0;
      at += piece.length;
      expect = outcome.stat;
      tail = piece;
      if (at < head.size) {
        const saved = await this.#savePrefix(machine, pair, expect, at, 0, piece, generation);
        if (!saved) return LOOK;
      }
      machine.noteDelivered({ key: pair.key, bytes: piece.length, isWhole: at === head.size });
    }
    const saved = await this.#savePrefix(machine, pair, expect, at, head.seq, tail, generation);
    return saved ? LEVEL : LOOK;
  }

  /** Next whole lines to send, at most about a piece; `null` when the next line is too long for an append. */
  async #piece(machine: MachineView, pair: Pair, at: number, size: number, generation: number): Promise<Buffer | null> {
    for (let length = PIECE_BYTES; ; length *= 4) {
      const to = Math.min(size, at + length);
      const bytes = await collect(readHead(this.#ctx, pair.key, [at, to], generation));
      const whole = to === size ? bytes.length : wholeLineBytes(bytes);
      const fitting = fittingLineBytes(bytes.subarray(0, whole), machine.replica.longestAppend);
      if (fitting > 0 || to === size) return fitting > 0 ? bytes.subarray(0, fitting) : null;
      if (whole > 0 || length >= LONGEST_PIECE_BYTES) return null;
    }
  }

  /**
   * A torn tail on the target: how many bytes of the next head line it holds already. A foreign one is first left alone,
   * then closed with a newline as the CLI does, and becomes a line like any other.
   */
  async #torn(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<number | Outcome> {
    const age = this.#ctx.clock.now() - (machine.changedAt(pair.key) ?? 0);
    const length = base.fileBytes - cursor.lineBytes;
    const torn = await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes));
    const next = await collect(
      this.#ctx.archive.read(pair.key, cursor.common, Math.min(head.size, cursor.common + length)),
    );
    if (torn.length === length && torn.equals(next)) return length;
    return age < TORN_FOREIGN_MS ? settling(TORN_FOREIGN_MS - age) : this.#closeTorn(machine, pair, base, head);
  }

  /** Ends a torn line as the CLI does when it goes on; it is a line like any other then, and looked at as growth. */
  async #closeTorn(machine: MachineView, pair: Pair, base: Base, head: Head): Promise<Outcome> {
    const outcome = await appendTo(machine, pair.path, {
      expect: statOf(base),
      bytes: Buffer.from('\n'),
      mtimeMs: this.#mtime(machine, head),
    });
    return outcome.kind === 'done' ? LOOK : notDone(outcome);
  }

  async #repair(
    machine: MachineView,
    pair: Pair,
    base: Base,
    cursor: LogCursor,
    head: Head,
    generation: number,
  ): Promise<Outcome> {
    const session = sessionOf(pair.key);
    const live = session !== null && (await machine.isLive(session));
    const quietFor = this.#ctx.clock.now() - (machine.changedAt(pair.key) ?? 0);
    if (
      !live &&
      base.fileBytes > cursor.lineBytes &&
      this.#ctx.guards.on('torn-target') &&
      !(await this.#isBegun(machine, pair, base, cursor, head))
    ) {
      // A record that only lacks its newline is nowhere else: it becomes a line before its file is replaced.
      return quietFor < TORN_FOREIGN_MS
        ? settling(TORN_FOREIGN_MS - quietFor)
        : this.#closeTorn(machine, pair, base, head);
    }
    if (!this.#ctx.guards.on('live-append-only') || (!live && quietFor >= QUIET_MS))
      return this.#replace(machine, pair, base, head, generation);
    const added = await this.#appendMissing(machine, pair, base, cursor, head, generation);
    if (added.kind !== 'level') return added;
    if (!live) return settling(Math.max(50, QUIET_MS - quietFor));
    machine.queue.again(pair.key, LIVE_RECHECK_MS, 'idle', { look: true });
    return { kind: 'deferred-live', reason: 'the session is open there: its file is put in order when it is closed' };
  }

  /** Whether the torn tail is the beginning of the next line that the copy is owed: what an append of ours left that stopped halfway. */
  async #isBegun(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<boolean> {
    const next = owed(cursor, head)[0];
    if (next === undefined) return false;
    const torn = await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes));
    const begun = await collect(this.#ctx.archive.read(pair.key, next[0], Math.min(next[1], next[0] + torn.length)));
    return torn.length > 0 && begun.equals(torn);
  }

  async #replaceWhenQuiet(
    machine: MachineView,
    pair: Pair,
    base: Base,
    head: Head,
    generation: number,
  ): Promise<Outcome> {
    const session = sessionOf(pair.key);
    if (session !== null && (await machine.isLive(session, true))) {
      machine.queue.again(pair.key, LIVE_RECHECK_MS, 'idle', { look: true });
      return {
        kind: 'deferred-live',
        reason: 'a line too long to be appended waits until the session is closed there',
      };
    }
    return this.#replace(machine, pair, base, head, generation);
  }

  async #replace(machine: MachineView, pair: Pair, base: Base, head: Head, generation: number): Promise<Outcome> {
    const { guards } = this.#ctx;
    const session = sessionOf(pair.key);
    if (guards.on('live-append-only') && session !== null && (await machine.isLive(session, true)))
      return settling(LIVE_RECHECK_MS);
    await this.#ctx.makeDurable([pair.key]);
    const expect = { kind: 'file', stat: statOf(base) } as const;
    return this.#putWhole(machine, pair, head, generation, { expect, how: 'swap' });
  }

  /** Adds the head's lines that a diverged copy lacks at its end, in any order, so that no machine waits for them. */
  async #appendMissing(
    machine: MachineView,
    pair: Pair,
    base: Base,
    cursor: LogCursor,
    head: Head,
    generation: number,
  ): Promise<Outcome> {
    // What was taken out there stays out while the session is open; and newer lines without it would be lines without their parents.
    if (cursor.cut || cursor.forkKey !== null) return LEVEL;
    const isTorn = base.fileBytes > cursor.lineBytes;
    let torn = isTorn ? await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes)) : null;
    const ranges = owed(cursor, head);
    let current = base;
    let left: LogCursor = cursor;
    for (const [from, to] of ranges) {
      for (let at = from; at < to;) {
        const bytes = await this.#piece(machine, pair, at, to, generation);
        if (bytes === null) return LEVEL;
        // Only the rest of a line whose beginning is there already; a beginning of anything else is left alone.
        if (torn !== null && !bytes.subarray(0, torn.length).equals(torn)) return LEVEL;
        const rest = torn === null ? bytes : bytes.subarray(torn.length);
        torn = null;
        const outcome = await appendTo(machine, pair.path, {
          expect: statOf(current),
          bytes: rest,
          mtimeMs: this.#mtime(machine, head),
        });
        if (outcome.kind !== 'done') {
          this.#noteSent(machine, pair, outcome, generation, [at, at + bytes.length]);
          return notDone(outcome);
        }
        at += bytes.length;
        const end = outcome.stat.size;
        const tailHash = hashTail(await collect(machine.replica.read(pair.path, tailStart(end), end)));
        left = { ...left, ...without(left, from, at), lineBytes: end, merged: end, tailHash };
        const pairNow = this.#ctx.store.pairs.get(machine.name, pair.key) ?? pair;
        if (this.#ctx.generation(pair.key) !== generation) {
          this.#ctx.store.pairs.put({ ...pairNow, base: null });
          return LOOK;
        }
        current = baseOf(outcome.stat, end, head.seq, left);
        this.#ctx.store.pairs.put({ ...pairNow, base: current });
        machine.noteDelivered({ key: pair.key, bytes: bytes.length, isWhole: at === head.size });
      }
    }
    return LEVEL;
  }

  /** Lines of the head that stand behind somebody else's now. */
  #noteSent(machine: MachineView, { key }: Pair, outcome: WriteOutcome, generation: number, range: ByteRange): void {
    if (outcome.kind === 'changed' && outcome.written === true && this.#ctx.guards.on('sent-lines'))
      this.#ctx.sentLines.note(machine.name, key, generation, range);
  }

  /** Stores that the copy holds the head's first `at` bytes; nothing is known any more when the head was replaced meanwhile. */
  async #savePrefix(
    machine: MachineView,
    pair: Pair,
    stat: FileStat,
    at: number,
    seq: number,
    tail: Buffer | null,
    generation: number,
  ): Promise<boolean> {
    const tailHash =
      tail !== null && tail.length >= at - tailStart(at)
        ? hashTail(tail)
        : hashTail(await collect(this.#ctx.archive.read(pair.key, tailStart(at), at)));
    const valid = this.#ctx.generation(pair.key) === generation;
    const pairNow = this.#ctx.store.pairs.get(machine.name, pair.key) ?? pair;
    this.#ctx.store.pairs.put({
      ...pairNow,
      path: pair.path,
      evictedSeq: null,
      base: valid ? baseOf(stat, stat.size, seq, { ...prefixCursor(at), tailHash }) : null,
    });
    return valid;
  }

  #mtime(machine: MachineView, head: Head): number {
    return Math.min(head.mtimeMs, this.#ctx.clock.now()) + machine.clockOffsetMs;
  }
}

/**
 * Over a network every look costs: what the watcher tells of the hub's own append is looked at a moment later, together with what else it
 * tells of it.
 */
async function appendTo(machine: MachineView, path: RelativePath, request: AppendRequest): Promise<WriteOutcome> {
  const { replica } = machine;
  if (!replica.answersLate) return replica.append(path, request);
  const paths = new Set([path]);
  machine.beginWriting(paths);
  try {
    return await replica.append(path, request);
  } finally {
    machine.endWriting(paths);
  }
}

/** What of the head a diverged copy has not got, in the order in which it is sent. */
function owed(cursor: LogCursor, head: Head): ByteRange[] {
  const ranges: ByteRange[] = [...cursor.missing];
  if (cursor.delivered < head.size) ranges.push([cursor.delivered, head.size]);
  return ranges;
}

/** The cursor's open ranges after `[from, at)` was delivered. */
function without(cursor: LogCursor, from: number, at: number): Pick<LogCursor, 'missing' | 'delivered'> {
  if (from >= cursor.delivered || at > cursor.delivered) return { missing: cursor.missing, delivered: at };
  return {
    delivered: cursor.delivered,
    missing: cursor.missing.flatMap(([a, b]): ByteRange[] =>
      at >= b && a >= from ? [] : a < at && at < b && a >= from ? [[at, b]] : [[a, b]],
    ),
  };
}

/** The file as the base remembers it: what a guarded write expects to find. */
export function statOf(base: Base): FileStat {
  return { size: base.fileBytes, mtimeMs: base.mtimeMs, inode: base.inode, executable: base.executable };
}
