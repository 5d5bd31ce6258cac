import { createHash } from 'node:crypto';
import { takeApart } from '../../core/log/growth.ts';
import { commonWholeLines } from '../../core/log/prefix.ts';
import type { Base, ByteRange, FileStat, Head, Key, LogCursor, Pair, RelativePath } from '../../core/domain.ts';
import type { LineFact } from '../../core/log/record.ts';
import type { Rule } from '../../core/rules/classify.ts';
import { withoutBrokenLines } from './broken-lines.ts';
import { sessionOf, type EngineContext, type MachineView } from './context.ts';
import { collect, takeExcerpt, wholeLineEnd, type Excerpt } from './excerpt.ts';
import { addRange, factsOf, LogHeads, type AppendMeta } from './log-heads.ts';
import { LogMerge, takeRanges, type DivergedCopy, type MergedCursor } from './log-merge.ts';

/** Growth is trusted only behind the same last bytes: this many on an event ... */
const TAIL_CHECK_BYTES = 1024;
/** A torn tail is kept as a version when it is older than this. */
const TORN_KEPT_AFTER_MS = 60_000;
/** How far behind the head's end lines of a late append are looked for. */
const ECHO_REACH_BYTES = 1024 * 1024;
/** ... and the whole copy is compared when its inode changed, or a listing found it changed while nobody watched. */

/** A copy of a log as it was just seen. */
export interface SeenCopy {
  readonly pair: Pair;
  readonly stat: FileStat;
  /** Compare everything before the base, not only its last bytes. */
  readonly deep: boolean;
  readonly rule: Rule;
}

/**
 * The inbound half for logs: what a machine's file has that the head has not becomes part of the head.
 * The outbound half is LogDelivery.
 */
export class LogCopy {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #merge: LogMerge;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
    this.#heads = new LogHeads(ctx);
    this.#merge = new LogMerge(ctx, this.#heads);
  }

  /**
   * Takes in what is new in the copy and stores its base.
   * @returns whether the head changed.
   */
  async take(machine: MachineView, seen: SeenCopy): Promise<boolean> {
    const { pair, stat } = seen;
    const base = pair.base;
    const cursor = base?.kind === 'file' ? base.cursor : null;
    const seenAt = this.#ctx.clock.now();
    const before = this.#heads.present(pair.key)?.seq ?? 0;

    const grown =
      base !== null && cursor !== null && stat.size >= cursor.lineBytes && !(seen.deep && base.inode !== stat.inode)
        ? await this.#readGrowth(machine, pair, cursor, stat)
        : null;
    if (grown && cursor && base) await this.#takeGrowth(machine, seen, base, cursor, grown, seenAt);
    else await this.#takeWhole(machine, seen, cursor, seenAt);
    return (this.#heads.present(pair.key)?.seq ?? 0) !== before;
  }

  /**
   * Brings the lines of a second copy into the head; no base is stored for it.
   * @returns whether the head changed.
   */
  async absorb(machine: MachineView, key: Key, path: RelativePath, stat: FileStat, rule: Rule): Promise<boolean> {
    const before = this.#heads.present(key)?.seq ?? 0;
    const excerpt = await takeExcerpt(machine.replica, this.#ctx.archive, path, 0, stat.size);
    try {
      const end = await wholeLineEnd(excerpt, 0);
      const meta = metaOf(machine, stat, this.#ctx.clock.now());
      await this.#ctx.lock.with(key, async () => {
        const head = this.#heads.present(key);
        if (!head) return this.#createHead(key, machine, excerpt, end, meta, () => {});
        const common = await commonWholeLines(excerpt.read(0, end), this.#readHead(head, 0));
        return this.#join(machine, key, head, common, end, excerpt, { cut: false, known: 'merged' }, rule, meta, () => {});
      });
    } finally {
      await excerpt.release();
    }
    return (this.#heads.present(key)?.seq ?? 0) !== before;
  }

  /** What is behind the base, or `null` when the bytes before it are not the ones that were verified. */
  async #readGrowth(machine: MachineView, pair: Pair, cursor: LogCursor, stat: FileStat): Promise<Excerpt | null> {
    const check = Math.min(cursor.lineBytes, TAIL_CHECK_BYTES);
    const excerpt = await takeExcerpt(machine.replica, this.#ctx.archive, pair.path, cursor.lineBytes - check, stat.size);
    machine.noteReceived(excerpt.to - excerpt.from);
    if (excerpt.to < cursor.lineBytes || !this.#ctx.guards.on('verify-prefix')) {
      if (excerpt.to >= cursor.lineBytes) return excerpt;
      await excerpt.release();
      return null;
    }
    const tail = await collect(excerpt.read(excerpt.from, cursor.lineBytes));
    if (hashTail(tail) === cursor.tailHash) return excerpt;
    await excerpt.release();
    return null;
  }

  async #takeGrowth(machine: MachineView, seen: SeenCopy, base: Base, cursor: LogCursor, excerpt: Excerpt, seenAt: number): Promise<void> {
    const { pair, stat } = seen;
    try {
      const end = this.#ctx.guards.on('whole-lines') ? await wholeLineEnd(excerpt, cursor.lineBytes) : excerpt.to;
      if (end === cursor.lineBytes) {
        // Only a torn tail (or a new mtime): nothing to ship, but the next write has to expect these bytes.
        await this.#ctx.lock.with(pair.key, async () => {
          // Another machine's compaction may have moved this copy to a fork meanwhile: only the facts of the file are new.
          const now = this.#ctx.store.pairs.get(machine.name, pair.key)?.base ?? base;
          this.#storeBase(pair, { ...now, ...statFacts(stat, excerpt.to) });
        });
        if (excerpt.to > end) await this.#keepTorn(machine, pair, stat, excerpt, end);
        return;
      }
      const tailHash = await tailHashOf(excerpt, end);
      const meta = metaOf(machine, stat, seenAt);
      await this.#ctx.lock.with(pair.key, async () => {
        const current = this.#currentCursor(machine, pair, cursor);
        const save = (head: Head, next: MergedCursor): void => {
          this.#storeBase(pair, baseOf(stat, excerpt.to, head.seq, { ...next, tailHash }));
        };
        if (current.forkKey !== null) return this.#growForked(pair, current, current.forkKey, excerpt, end, meta, save);
        if (isPrefix(current)) return this.#growPrefix(machine, seen, current, excerpt, end, meta, save);
        return this.#growDiverged(pair, current, excerpt, end, meta, save);
      });
    } finally {
      await excerpt.release();
    }
  }

  /** A line that was never finished waits on its machine; when it has waited for long it is kept as a version as well. */
  async #keepTorn(machine: MachineView, pair: Pair, stat: FileStat, excerpt: Excerpt, end: number): Promise<void> {
    const { clock, archive, store } = this.#ctx;
    const age = clock.now() - (stat.mtimeMs - machine.clockOffsetMs);
    if (age < TORN_KEPT_AFTER_MS) {
      machine.queue.again(pair.key, TORN_KEPT_AFTER_MS - Math.max(0, age) + 1, 'idle', { look: true, deep: true });
      return;
    }
    const kept = await archive.keep(excerpt.read(end, excerpt.to));
    store.versions.add({
      key: pair.key,
      machine: machine.name,
      at: clock.now(),
      bytes: kept.bytes,
      sha256: kept.sha256,
      reason: 'torn',
      executable: false,
      mtimeMs: stat.mtimeMs,
    });
  }

  /** The cursor as it is now that the lock is held: another machine's compaction may have moved this copy to a fork meanwhile. */
  #currentCursor(machine: MachineView, pair: Pair, cursor: LogCursor): LogCursor {
    return this.#ctx.store.pairs.get(machine.name, pair.key)?.base?.cursor ?? cursor;
  }

  /** The copy was a prefix of the head. */
  async #growPrefix(
    machine: MachineView,
    seen: SeenCopy,
    cursor: LogCursor,
    excerpt: Excerpt,
    end: number,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    const { pair, rule } = seen;
    const head = this.#heads.present(pair.key);
    if (!head) {
      // The head is gone (forgotten, lost): what was read is only the end of the file.
      this.#ctx.store.pairs.put({ ...pair, base: null });
      machine.queue.mark(pair.key, { look: true });
      return;
    }
    const same = await commonWholeLines(excerpt.read(cursor.lineBytes, end), this.#readHead(head, cursor.common));
    if (cursor.common + same === head.size && machine.mayEcho && this.#ctx.guards.on('unknown-outcome')) {
      if (await this.#growEchoed(pair.key, head, cursor, excerpt, end, meta, save)) return;
    }
    await this.#join(machine, pair.key, head, cursor.common + same, end, excerpt, { cut: false, known: 'prefix' }, rule, meta, save);
  }

  /**
   * An append that was given up with its connection may arrive late, behind the same lines that were sent again since. Its lines are
   * records that the head has: they are not news, and the copy that has them twice is put in order like a diverged one.
   * @returns false when there is nothing of that kind.
   */
  async #growEchoed(
    key: Key,
    head: Head,
    cursor: LogCursor,
    excerpt: Excerpt,
    end: number,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<boolean> {
    const growth = await factsOf(excerpt.read(cursor.lineBytes, end), cursor.lineBytes);
    const tail = await this.#heads.facts(key, Math.max(0, head.size - ECHO_REACH_BYTES), head.size);
    const { added } = takeApart(growth, tail, () => false);
    if (added.length === growth.length) return false;
    await this.#heads.append(key, takeRanges(excerpt, added), meta, (made) => {
      save(made, { ...prefixCursor(end), common: cursor.common, delivered: made.size });
    });
    return true;
  }

  /** Later growth of a copy that diverged: what that machine wrote is new, what it got from the hub is not. */
  async #growDiverged(
    pair: Pair,
    cursor: LogCursor,
    excerpt: Excerpt,
    end: number,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    const trusted = this.#ctx.guards.on('merge-cursor');
    const from = trusted ? cursor.merged : Math.max(Math.min(cursor.common, cursor.merged), excerpt.from);
    const sizeBefore = this.#heads.present(pair.key)?.size ?? 0;
    const grown = await factsOf(excerpt.read(from, end), from);
    const growth = await withoutBrokenLines(this.#ctx, { ...pair, excerpt }, grown, [cursor.common, sizeBefore]);
    const lacking: ByteRange[] = [...cursor.missing];
    addRange(lacking, [cursor.delivered, sizeBefore]);
    // What was taken out there on purpose is not pushed, so it does not come back as an append of ours.
    const pushed: readonly ByteRange[] = cursor.cut ? [] : lacking;
    const head = trusted ? await this.#heads.facts(pair.key, 0, sizeBefore) : [];
    const { added, echoed } = takeApart(growth, head, (line) => isIn(pushed, line));
    const missing = head.length === 0 ? lacking : rangesOf(head.filter((line) => isIn(lacking, line) && !echoed.has(line.start)));
    await this.#heads.append(pair.key, takeRanges(excerpt, added), meta, (made) => {
      save(made, { ...cursor, lineBytes: end, merged: end, delivered: made.size, missing });
    });
  }

  async #growForked(
    pair: Pair,
    cursor: LogCursor,
    forkKey: Key,
    excerpt: Excerpt,
    end: number,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    const session = sessionOf(pair.key);
    const head = this.#heads.present(pair.key);
    if (session === null || !head) throw new Error(`fork of ${pair.key} without a head`);
    await this.#ctx.lock.with(forkKey, () =>
      this.#merge.growFork(forkKey, session, excerpt.read(cursor.merged, end), meta, () => {
        save(head, { ...cursor, lineBytes: end, merged: end });
      }),
    );
    this.#ctx.headChanged(forkKey, null);
  }

  /** No base, or the bytes before it are others: the whole copy is compared with the head. */
  async #takeWhole(machine: MachineView, seen: SeenCopy, cursor: LogCursor | null, seenAt: number): Promise<void> {
    const { pair, stat, rule } = seen;
    const excerpt = await takeExcerpt(machine.replica, this.#ctx.archive, pair.path, 0, stat.size);
    machine.noteReceived(excerpt.to);
    try {
      const end = this.#ctx.guards.on('whole-lines') ? await wholeLineEnd(excerpt, 0) : excerpt.to;
      const tailHash = await tailHashOf(excerpt, end);
      const meta = metaOf(machine, stat, seenAt);
      await this.#ctx.lock.with(pair.key, async () => {
        const save = (head: Head, next: MergedCursor): void => {
          this.#storeBase(pair, baseOf(stat, excerpt.to, head.seq, { ...next, tailHash }));
        };
        const head = this.#heads.present(pair.key);
        if (!head) {
          if (end > 0) await this.#createHead(pair.key, machine, excerpt, end, meta, save);
          return;
        }
        const common = await commonWholeLines(excerpt.read(0, end), this.#readHead(head, 0));
        // Lines that had been verified here are gone or changed. A copy that only became longer was not cut.
        const cut = cursor !== null && common < Math.min(cursor.common, cursor.lineBytes);
        if (cut || (cursor !== null && end < cursor.lineBytes)) await this.#recordCut(machine, pair, cursor, excerpt, end);
        if (cursor !== null && end < cursor.lineBytes && common === end) {
          // A withdrawn message: nothing is pushed back at once, the head keeps every line.
          const missing: ByteRange[] = [];
          addRange(missing, [common, head.size]);
          if (!this.#ctx.guards.on('cut-keeps-head')) await this.#ctx.archive.truncate(pair.key, common);
          save(head, { lineBytes: end, merged: end, common, delivered: head.size, missing, cut: true, forkKey: null, origins: null });
          return;
        }
        await this.#join(machine, pair.key, head, common, end, excerpt, { cut, known: cursor === null && pair.evictedSeq === null ? 'nothing' : 'merged' }, rule, meta, save);
      });
    } finally {
      await excerpt.release();
    }
  }

  /** Copy and head share `common` bytes: append, catch up, or merge. */
  async #join(
    machine: MachineView,
    key: Key,
    head: Head,
    common: number,
    end: number,
    excerpt: Excerpt,
    earlier: Pick<DivergedCopy, 'cut' | 'known'>,
    rule: Rule,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    if (common === end) {
      save({ ...head, seq: end === head.size ? head.seq : 0 }, prefixCursor(end));
    } else if (common === head.size) {
      await this.#heads.append(key, excerpt.read(common, end), meta, (made) => save(made, prefixCursor(end)));
    } else {
      await this.#merge.merge(
        {
          machine: machine.name,
          clockOffsetMs: machine.clockOffsetMs,
          key,
          common,
          end,
          excerpt,
          ...earlier,
          transcript: rule.class === 'transcript',
        },
        meta,
        save,
      );
    }
  }

  async #createHead(
    key: Key,
    machine: MachineView,
    excerpt: Excerpt,
    end: number,
    meta: AppendMeta,
    save: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    if (end === 0) return;
    const head = await this.#heads.append(key, excerpt.read(0, end), meta, (made) => save(made, prefixCursor(end)));
    this.#ctx.logged({
      key,
      source: machine.name,
      target: null,
      action: 'commit',
      outcome: 'done',
      bytes: head.size,
      durationMs: this.#ctx.clock.now() - meta.seenAt,
      detail: null,
    });
  }

  #readHead(head: Head, from: number): AsyncIterable<Buffer> {
    return this.#ctx.archive.read(head.key, from, head.size);
  }

  async #recordCut(machine: MachineView, pair: Pair, cursor: LogCursor | null, excerpt: Excerpt, end: number): Promise<void> {
    const lost = (cursor?.lineBytes ?? 0) - end;
    if (cursor !== null && end < cursor.lineBytes / 2) machine.noteSuspicion('lost-log', pair.key);
    if (end > 0) {
      const kept = await this.#ctx.archive.keep(excerpt.read(0, end));
      this.#ctx.store.versions.add({
        key: pair.key,
        machine: machine.name,
        at: this.#ctx.clock.now(),
        bytes: kept.bytes,
        sha256: kept.sha256,
        reason: 'cut',
        executable: false,
        mtimeMs: pair.base?.mtimeMs ?? 0,
      });
    }
    this.#ctx.logged({
      key: pair.key,
      source: machine.name,
      target: null,
      action: 'cut',
      outcome: 'done',
      bytes: Math.max(0, lost),
      durationMs: 0,
      detail: 'the copy lost lines that the head keeps',
    });
  }

  #storeBase(pair: Pair, base: Base): void {
    // A file that is there again is not evicted any more.
    this.#ctx.store.pairs.put({ ...pair, base, evictedSeq: null });
  }
}

function isIn(ranges: readonly ByteRange[], line: LineFact): boolean {
  return ranges.some(([from, to]) => from <= line.start && line.start < to);
}

function rangesOf(lines: readonly LineFact[]): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (const line of lines) addRange(ranges, [line.start, line.end]);
  return ranges;
}

/** Whether the copy is (as far as it goes) a prefix of the head. */
export function isPrefix(cursor: LogCursor): boolean {
  return cursor.forkKey === null && !cursor.cut && cursor.common === cursor.lineBytes && cursor.missing.length === 0;
}

/** Cursor of a copy whose first `end` bytes are the head's. */
export function prefixCursor(end: number): MergedCursor {
  return { lineBytes: end, merged: end, delivered: end, common: end, forkKey: null, missing: [], cut: false, origins: null };
}

/** Base of a log copy of `fileBytes` bytes as `stat` saw it. */
export function baseOf(stat: FileStat, fileBytes: number, seq: number, cursor: LogCursor): Base {
  return { seq, kind: 'file', hash: null, ...statFacts(stat, fileBytes), executable: false, cursor };
}

/** Hash by which the last bytes before a cursor are recognised. */
export function hashTail(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes.subarray(Math.max(0, bytes.length - TAIL_CHECK_BYTES))).digest('hex').slice(0, 32);
}

/** Number of bytes that `hashTail` looks at before `end`. */
export function tailStart(end: number): number {
  return Math.max(0, end - TAIL_CHECK_BYTES);
}

async function tailHashOf(excerpt: Excerpt, end: number): Promise<string> {
  return hashTail(await collect(excerpt.read(Math.max(excerpt.from, tailStart(end)), end)));
}

function statFacts(stat: FileStat, fileBytes: number): Pick<Base, 'fileBytes' | 'mtimeMs' | 'inode'> {
  // Bytes that came while the copy was read make its size differ from what was read: the next look finds a change.
  return { fileBytes, mtimeMs: stat.mtimeMs, inode: stat.inode };
}

function metaOf(machine: MachineView, stat: FileStat, seenAt: number): AppendMeta {
  return { origin: machine.name, mtimeMs: Math.min(stat.mtimeMs - machine.clockOffsetMs, seenAt), seenAt };
}
