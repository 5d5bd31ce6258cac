import { parseEntry, projectLine, sortUnion } from '../../core/history/entry.ts';
import { readLines, type Line } from '../../core/log/lines.ts';
import type { Base, FileStat, Head, LogCursor, MachineName, Pair } from '../../core/domain.ts';
import type { EngineContext, MachineView } from './context.ts';
import { collect, once, takeExcerpt, wholeLineEnd, type Excerpt } from './excerpt.ts';
import { isUnchanged } from './file-copy.ts';
import { hashTail, tailStart } from './log-copy.ts';
import { LogHeads } from './log-heads.ts';
import { QUIET_MS, statOf } from './log-delivery.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from './outcome.ts';
import type { Placement } from './placement.ts';
import type { Mark } from './work-queue.ts';

const KEY = 'history';
/** The CLI or another writer holds the lock: try again. */
const LOCK_RETRY_MS = 150;
const TORN_FOREIGN_MS = 10_000;
const NEWLINE = Buffer.from('\n');

/**
 * Prompt history. Each machine's own lines are kept raw in a head of their own (`history/<machine>`), so their origin is never in
 * doubt; the file of a machine is its own lines as they are, and everybody else's with the project path it has there
 * (docs/sync.md section 4). Identity of a line is what Claude takes for it, so no line is entered twice.
 */
export class HistoryCopy {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #placement: Placement;
  /** Machines at whose file an append of ours failed halfway: the beginning of a line there is our own. */
  readonly #halfSent = new Set<MachineName>();
  /** Identities of all lines, loaded on first use. */
  #known: Promise<Set<string>> | null = null;

  constructor(ctx: EngineContext, placement: Placement) {
    this.#ctx = ctx;
    this.#placement = placement;
    this.#heads = new LogHeads(ctx);
  }

  async reconcile(machine: MachineView, pair: Pair, mark: Mark): Promise<Outcome> {
    let current = pair;
    if (mark.look || pair.base?.kind !== 'file') {
      const look = await machine.replica.look(pair.path);
      if (look.kind === 'unknown' || look.kind === 'refused') {
        machine.notices.set(pair.path, look.reason);
        return { kind: 'held', reason: look.reason };
      }
      machine.notices.delete(pair.path);
      if (look.kind === 'absent') return this.#absent(machine, pair);
      if (pair.base?.kind !== 'file' || !isUnchanged(pair.base, look.stat)) {
        machine.noteChange(KEY);
        await this.#take(machine, pair, look.stat);
        current = this.#ctx.store.pairs.get(machine.name, KEY) ?? pair;
      }
    }
    const head = this.#ctx.store.heads.get(KEY);
    const { base } = current;
    if (!head || base?.kind !== 'file' || base.cursor === null) return LEVEL;
    return base.cursor.cut ? this.#rewrite(machine, current, base, head) : this.#append(machine, current, base, base.cursor, head);
  }

  /** Own lines of the machine that are not known yet go to its head. */
  async #take(machine: MachineView, pair: Pair, stat: FileStat): Promise<void> {
    const { store, archive, lock, clock } = this.#ctx;
    const base = pair.base?.kind === 'file' ? pair.base : null;
    const cursor = base?.cursor ?? null;
    const grown = cursor !== null && stat.size >= cursor.lineBytes;
    const from = grown ? tailStart(cursor.lineBytes) : 0;
    let excerpt = await takeExcerpt(machine.replica, archive, pair.path, from, stat.size);
    let start = grown ? cursor.lineBytes : 0;
    let rewritten = cursor !== null && !grown;
    if (grown && (excerpt.to < start || hashTail(await collect(excerpt.read(from, start))) !== cursor.tailHash)) {
      await excerpt.release();
      excerpt = await takeExcerpt(machine.replica, archive, pair.path, 0, stat.size);
      start = 0;
      rewritten = true;
    }
    try {
      const end = await wholeLineEnd(excerpt, start);
      const lines = await linesOf(excerpt, start, end);
      const tailHash = hashTail(await collect(excerpt.read(Math.max(excerpt.from, tailStart(end)), end)));
      const seenAt = clock.now();
      await lock.with(KEY, async () => {
        const known = await this.#identities();
        const remembered = lines.filter((line) => !this.#isForgotten(line.bytes));
        const fresh = remembered.filter((line) => !known.has(parseEntry(line.bytes).identity));
        const first = cursor === null;
        if (fresh.length > 0) {
          const bytes = Buffer.concat(fresh.flatMap((line) => [line.bytes, NEWLINE]));
          await this.#heads.append(ownKey(machine.name), once(bytes), { origin: machine.name, mtimeMs: seenAt, seenAt }, () => {});
          for (const line of fresh) known.add(parseEntry(line.bytes).identity);
          this.#bump(machine.name, seenAt);
        }
        // A file that is seen for the first time or was cut is made whole once, in order of time.
        const isOwed = first || rewritten ? !(await this.#isWhole(lines)) : (cursor?.cut ?? false);
        const whole = isOwed || remembered.length < lines.length;
        const origins = { ...(cursor?.origins ?? {}), [machine.name]: this.#heads.present(ownKey(machine.name))?.size ?? 0 };
        // Lines of others among the growth: the hub brought them and did not live to note it, or the CLI wrote at the same moment.
        const unaccounted = grown && (fresh.length < lines.length || (cursor.common < cursor.lineBytes && !rewritten));
        store.pairs.put({
          ...pair,
          evictedSeq: null,
          base: historyBase(stat, excerpt.to, whole ? 0 : this.#levelSeq(origins), {
            ...cursorAt(end, tailHash),
            common: unaccounted ? 0 : end,
            cut: whole,
            origins: first || rewritten ? (whole ? {} : this.#allOrigins()) : origins,
          }),
        });
        if (first && fresh.length > 0) this.#sortOthers(machine.name);
      });
      machine.noteReceived(excerpt.to - start);
    } finally {
      await excerpt.release();
    }
    this.#ctx.headChanged(KEY, machine.name);
  }

  /**
   * Lines that went into a file of this machine after the hub had replaced it: they are the machine's own, and its file lacks them.
   * @param alongside runs in the turn of the commit.
   */
  async takeLate(machine: MachineName, chunks: AsyncIterable<Uint8Array>, alongside: () => void): Promise<void> {
    const lines = await readAll(chunks);
    const seenAt = this.#ctx.clock.now();
    await this.#ctx.lock.with(KEY, async () => {
      const known = await this.#identities();
      const fresh = lines.filter((line) => !known.has(parseEntry(line.bytes).identity));
      if (fresh.length === 0) return alongside();
      const bytes = Buffer.concat(fresh.flatMap((line) => [line.bytes, NEWLINE]));
      await this.#heads.append(ownKey(machine), once(bytes), { origin: machine, mtimeMs: seenAt, seenAt }, () => {
        for (const line of fresh) known.add(parseEntry(line.bytes).identity);
        this.#bump(machine, seenAt);
        const pair = this.#ctx.store.pairs.get(machine, KEY);
        if (pair?.base?.cursor) this.#ctx.store.pairs.put({ ...pair, base: { ...pair.base, cursor: { ...pair.base.cursor, cut: true } } });
        alongside();
      });
    });
    this.#ctx.headChanged(KEY, null);
  }

  /** A machine's first pairing brings old lines: the others' files are put in order of time once, too. */
  #sortOthers(newcomer: MachineName): void {
    for (const pair of this.#ctx.store.pairs.ofKey(KEY)) {
      if (pair.machine === newcomer || pair.base?.cursor === null || pair.base?.kind !== 'file') continue;
      this.#ctx.store.pairs.put({ ...pair, base: { ...pair.base, cursor: { ...pair.base.cursor, cut: true } } });
    }
  }

  async #append(machine: MachineView, pair: Pair, base: Base, cursor: LogCursor, head: Head): Promise<Outcome> {
    // Where `origins` does not tell all that the file holds, the file itself does.
    const present = cursor.common < cursor.lineBytes ? await this.#identitiesIn(machine, pair, base) : undefined;
    const { lines, origins } = await this.#undelivered(machine, present ? { origins: {} } : cursor, present);
    if (lines.length === 0) {
      if (base.seq !== head.seq || present) this.#save(pair, { ...base, seq: head.seq, cursor: { ...cursor, common: cursor.lineBytes, origins } });
      return LEVEL;
    }
    const whole = Buffer.concat(lines);
    const left = await collect(machine.replica.read(pair.path, cursor.lineBytes, base.fileBytes));
    // The beginning of what is to be written, left by an append of ours that failed halfway: only the rest is missing.
    const isOurs = left.length > 0 && whole.subarray(0, left.length).equals(left);
    if (left.length > 0 && !isOurs) {
      const age = this.#ctx.clock.now() - (machine.changedAt(KEY) ?? 0);
      if (age < TORN_FOREIGN_MS) return settling(TORN_FOREIGN_MS - age);
    }
    const torn = left.length > 0 && !isOurs;
    const bytes = torn ? Buffer.concat([NEWLINE, whole]) : isOurs ? whole.subarray(left.length) : whole;
    const unlock = await machine.replica.lock(pair.path);
    if (unlock === null) return settling(LOCK_RETRY_MS);
    try {
      const outcome = await machine.replica.append(pair.path, { expect: statOf(base), bytes, mtimeMs: this.#now(machine) });
      if (outcome.kind === 'refused') this.#halfSent.add(machine.name);
      else this.#halfSent.delete(machine.name);
      if (outcome.kind !== 'done') return notDone(outcome);
      if (torn) {
        // The torn line is a whole one now: read the file anew, so that it is entered like any other.
        this.#save(pair, { ...base, fileBytes: -1, cursor: { ...cursor, common: 0 } });
        return LOOK;
      }
      const end = outcome.stat.size;
      const tailHash = hashTail(await collect(machine.replica.read(pair.path, tailStart(end), end)));
      this.#save(pair, historyBase(outcome.stat, end, head.seq, { ...cursorAt(end, tailHash), origins }));
      machine.noteDelivered(this.#ctx.headSeenAt(KEY), bytes.length);
      return LEVEL;
    } finally {
      await unlock();
    }
  }

  async #identitiesIn(machine: MachineView, pair: Pair, base: Base): Promise<Set<string>> {
    const lines = await readAll(machine.replica.read(pair.path, 0, base.fileBytes));
    return new Set(lines.map((line) => parseEntry(line.bytes).identity));
  }

  /** The whole file anew: all its own lines as they are, what it lacks, in order of time. */
  async #rewrite(machine: MachineView, pair: Pair, base: Base, head: Head): Promise<Outcome> {
    const quietFor = this.#ctx.clock.now() - (machine.changedAt(KEY) ?? 0);
    if (!machine.pairing && quietFor < QUIET_MS) return settling(QUIET_MS - quietFor);
    const isTorn = base.cursor !== null && base.fileBytes > base.cursor.lineBytes;
    if (isTorn && !this.#halfSent.has(machine.name)) return this.#closeTorn(machine, pair, base, quietFor);
    const unlock = await machine.replica.lock(pair.path);
    if (unlock === null) return settling(LOCK_RETRY_MS);
    try {
      const found = await readAll(machine.replica.read(pair.path, 0, base.fileBytes));
      const own = found.filter((line) => !this.#isForgotten(line.bytes));
      const present = new Set(own.map((line) => parseEntry(line.bytes).identity));
      const { lines, origins } = await this.#undelivered(machine, { origins: {} }, present);
      const all = [...own.map((line) => line.bytes), ...lines.map((line) => line.subarray(0, -1))];
      const sorted = sortUnion(all.map((bytes) => ({ bytes, timestampMs: parseEntry(bytes).timestampMs })));
      const content = Buffer.concat(sorted.flatMap((line) => [line.bytes, NEWLINE]));
      await this.#ctx.makeDurable(Object.keys(origins).map(ownKey));
      const outcome = await machine.replica.put(pair.path, {
        expect: { kind: 'file', stat: statOf(base) },
        content: () => once(content),
        size: content.length,
        mtimeMs: this.#now(machine),
        executable: false,
        how: 'swap',
      });
      if (outcome.kind !== 'done') return notDone(outcome);
      machine.noteSwap(KEY, null);
      this.#save(pair, historyBase(outcome.stat, content.length, head.seq, { ...cursorAt(content.length, hashTail(content)), origins }));
      machine.noteDelivered(this.#ctx.headSeenAt(KEY), content.length);
      return LOOK;
    } finally {
      await unlock();
    }
  }

  /** A prompt that only lacks its newline becomes a line, and is entered as one, before the file is written anew. */
  async #closeTorn(machine: MachineView, pair: Pair, base: Base, quietFor: number): Promise<Outcome> {
    if (quietFor < TORN_FOREIGN_MS) return settling(TORN_FOREIGN_MS - quietFor);
    const outcome = await machine.replica.append(pair.path, { expect: statOf(base), bytes: NEWLINE, mtimeMs: this.#now(machine) });
    return outcome.kind === 'done' ? LOOK : notDone(outcome);
  }

  async #absent(machine: MachineView, pair: Pair): Promise<Outcome> {
    const head = this.#ctx.store.heads.get(KEY);
    if (!head) return LEVEL;
    const { lines, origins } = await this.#undelivered(machine, { origins: {} }, new Set());
    const sorted = sortUnion(lines.map((bytes) => ({ bytes, timestampMs: parseEntry(bytes.subarray(0, -1)).timestampMs })));
    const content = Buffer.concat(sorted.map((line) => line.bytes));
    const outcome = await machine.replica.put(pair.path, {
      expect: { kind: 'absent' },
      content: () => once(content),
      size: content.length,
      mtimeMs: this.#now(machine),
      executable: false,
      how: 'exchange',
    });
    if (outcome.kind !== 'done') return notDone(outcome);
    this.#save(pair, historyBase(outcome.stat, content.length, head.seq, { ...cursorAt(content.length, hashTail(content)), origins }));
    machine.noteDelivered(this.#ctx.headSeenAt(KEY), content.length);
    return LEVEL;
  }

  /**
   * Lines (with their newlines) that this machine has not got yet, as they are to stand there, and the cursor after them.
   * With `present`, lines whose identity is in it are left out, own lines included; without, the machine's own are all there.
   */
  async #undelivered(
    machine: MachineView,
    cursor: Pick<LogCursor, 'origins'>,
    present?: ReadonlySet<string>,
  ): Promise<{ lines: Buffer[]; origins: Record<MachineName, number> }> {
    const lines: Buffer[] = [];
    const origins: Record<MachineName, number> = {};
    for (const origin of this.#originNames()) {
      const size = this.#heads.present(ownKey(origin))?.size ?? 0;
      const from = origin === machine.name && !present ? size : (cursor.origins?.[origin] ?? 0);
      origins[origin] = size;
      if (from >= size) continue;
      for (const line of await readAll(this.#ctx.archive.read(ownKey(origin), from, size))) {
        const entry = parseEntry(line.bytes);
        if (present?.has(entry.identity) || this.#isForgotten(line.bytes)) continue;
        const path = entry.project === null ? null : await this.#placement.projectPath(origin, entry.project, machine);
        const bytes = path === null || path === entry.project ? line.bytes : projectLine(line.bytes, path);
        lines.push(Buffer.concat([bytes, NEWLINE]));
      }
    }
    return { lines, origins };
  }

  /**
   * Takes the prompts of forgotten sessions out of the heads, and has every machine's file written anew without them. Asked for
   * after a `forget`, and at the start, because a crash may have come in between.
   */
  async dropForgotten(): Promise<void> {
    const { archive, lock, store, clock } = this.#ctx;
    await lock.with(KEY, async () => {
      const now = clock.now();
      let dropped = false;
      for (const origin of this.#originNames()) {
        const head = this.#heads.present(ownKey(origin));
        if (!head) continue;
        const lines = await readAll(archive.read(head.key, 0, head.size));
        const kept = lines.filter((line) => !this.#isForgotten(line.bytes));
        if (kept.length === lines.length) continue;
        const bytes = Buffer.concat(kept.flatMap((line) => [line.bytes, NEWLINE]));
        await this.#heads.replace(head.key, once(bytes), { origin, mtimeMs: head.mtimeMs, seenAt: now }, () => {});
        this.#bump(origin, now);
        dropped = true;
      }
      if (!dropped) return;
      this.#known = null;
      for (const pair of store.pairs.ofKey(KEY)) {
        if (!pair.base?.cursor) continue;
        store.pairs.put({ ...pair, base: { ...pair.base, seq: 0, cursor: { ...pair.base.cursor, cut: true, origins: {} } } });
      }
    });
    this.#ctx.headChanged(KEY, null);
  }

  #isForgotten(line: Buffer): boolean {
    const { session } = parseEntry(line);
    return session !== null && this.#ctx.isForgotten(`session/${session}`);
  }

  /** Whether a file with these lines lacks nothing that any machine has. */
  async #isWhole(lines: readonly WholeLine[]): Promise<boolean> {
    const present = new Set(lines.map((line) => parseEntry(line.bytes).identity));
    for (const identity of await this.#identities()) if (!present.has(identity)) return false;
    return true;
  }

  #identities(): Promise<Set<string>> {
    if (this.#known === null) {
      const loading = this.#load();
      this.#known = loading;
      // A disk that failed once must not fail the history until the next start.
      loading.catch(() => (this.#known = null));
    }
    return this.#known;
  }

  async #load(): Promise<Set<string>> {
    const known = new Set<string>();
    for (const origin of this.#originNames()) {
      const head = this.#heads.present(ownKey(origin));
      if (!head) continue;
      for (const line of await readAll(this.#ctx.archive.read(head.key, 0, head.size))) known.add(parseEntry(line.bytes).identity);
    }
    return known;
  }

  #originNames(): MachineName[] {
    return this.#ctx.store.heads
      .withPrefix('history/')
      .map((key) => decodeURIComponent(key.slice('history/'.length)))
      .sort();
  }

  #allOrigins(): Record<MachineName, number> {
    return Object.fromEntries(this.#originNames().map((name) => [name, this.#heads.present(ownKey(name))?.size ?? 0]));
  }

  /** The head's number when nothing is undelivered, else 0. */
  #levelSeq(origins: Readonly<Record<MachineName, number>>): number {
    const all = Object.entries(this.#allOrigins()).every(([name, size]) => (origins[name] ?? 0) >= size);
    return all ? (this.#ctx.store.heads.get(KEY)?.seq ?? 0) : 0;
  }

  /** The key `history` has no bytes of its own: its head only counts, so that everybody's level can be told. */
  #bump(origin: MachineName, at: number): void {
    const size = Object.values(this.#allOrigins()).reduce((sum, bytes) => sum + bytes, 0);
    this.#ctx.store.heads.put({
      key: KEY,
      seq: this.#ctx.store.nextSeq(),
      kind: 'file',
      size,
      hash: null,
      mtimeMs: at,
      executable: false,
      origin,
    });
    this.#ctx.noteHeadSeen(KEY, at);
  }

  #save(pair: Pair, base: Base): void {
    this.#ctx.store.pairs.put({ ...pair, evictedSeq: null, base });
  }

  #now(machine: MachineView): number {
    return this.#ctx.clock.now() + machine.clockOffsetMs;
  }
}

/** Key of the head with a machine's own lines. */
export function ownKey(machine: MachineName): string {
  return `history/${encodeURIComponent(machine)}`;
}

interface WholeLine extends Line {
  readonly bytes: Buffer;
}

async function linesOf(excerpt: Excerpt, from: number, to: number): Promise<WholeLine[]> {
  return readAll(excerpt.read(from, to));
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<WholeLine[]> {
  const lines: WholeLine[] = [];
  for await (const line of readLines(chunks)) if (line.bytes !== null) lines.push({ ...line, bytes: line.bytes });
  return lines;
}

function cursorAt(end: number, tailHash: string): LogCursor {
  return { lineBytes: end, merged: end, delivered: end, common: end, forkKey: null, missing: [], cut: false, tailHash, origins: null };
}

function historyBase(stat: FileStat, fileBytes: number, seq: number, cursor: LogCursor): Base {
  return { seq, kind: 'file', hash: null, fileBytes, mtimeMs: stat.mtimeMs, inode: stat.inode, executable: false, cursor };
}
