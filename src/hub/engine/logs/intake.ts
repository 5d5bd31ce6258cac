import { commonWholeLines } from '../../../core/log/prefix.ts';
import type { Base, ByteRange, FileStat, Head, Key, LogCursor, Pair, RelativePath } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import { isSameInode } from '../../replica/safe-walk.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect, takeExcerpt, wholeLineEnd, type Excerpt } from '../excerpt.ts';
import { baseOf, hashTail, prefixCursor, statFacts, TAIL_CHECK_BYTES, tailHashOf } from './cursor.ts';
import { LogGrowth } from './growth.ts';
import { addRange, LogHeads, type AppendMeta } from './heads.ts';
import { LogJoin } from './join.ts';
import { LogMerge, type MergedCursor } from './merge.ts';
import { keepVersion } from '../keep-version.ts';

/** A torn tail is kept as a version when it is older than this. */
const TORN_KEPT_AFTER_MS = 60_000;

/** A copy of a log as it was just seen. */
export interface SeenCopy {
  readonly pair: Pair;
  readonly stat: FileStat;
  readonly rule: Rule;
}

/**
 * The inbound half for logs: what a machine's file has that the head has not becomes part of the head.
 * The outbound half is LogDelivery.
 */
export class LogIntake {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #join: LogJoin;
  readonly #growth: LogGrowth;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
    this.#heads = new LogHeads(ctx);
    const merge = new LogMerge(ctx, this.#heads);
    this.#join = new LogJoin(this.#heads, merge);
    this.#growth = new LogGrowth(ctx, this.#heads, merge, this.#join);
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

    // Growth is trusted behind the same last bytes of the same file; another file under the name is compared as a whole.
    const grown =
      base !== null && cursor !== null && stat.size >= cursor.lineBytes && isSameInode(base, stat)
        ? await this.#readGrowth(machine, pair, cursor, stat)
        : null;
    if (grown && cursor && base) await this.#takeGrowth(machine, seen, base, cursor, grown, seenAt);
    else await this.#takeWhole(machine, seen, cursor, seenAt);
    this.#ctx.sentLines.forget(machine.name, pair.key);
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
        return this.#join.join(
          { machine, key, common, end, excerpt, cut: false, known: 'merged', rule, meta },
          head,
          () => {},
        );
      });
    } finally {
      await excerpt.release();
    }
    return (this.#heads.present(key)?.seq ?? 0) !== before;
  }

  /** What is behind the base, or `null` when the bytes before it are not the ones that were verified. */
  async #readGrowth(machine: MachineView, pair: Pair, cursor: LogCursor, stat: FileStat): Promise<Excerpt | null> {
    const check = Math.min(cursor.lineBytes, TAIL_CHECK_BYTES);
    const excerpt = await takeExcerpt(
      machine.replica,
      this.#ctx.archive,
      pair.path,
      cursor.lineBytes - check,
      stat.size,
    );
    // What was read once more to be compared is no content that comes.
    machine.noteReceived(Math.max(0, excerpt.to - cursor.lineBytes));
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

  async #takeGrowth(
    machine: MachineView,
    seen: SeenCopy,
    base: Base,
    cursor: LogCursor,
    excerpt: Excerpt,
    seenAt: number,
  ): Promise<void> {
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
        // As it is now: another machine's compaction may have moved this copy to a fork meanwhile.
        const current = this.#ctx.store.pairs.get(machine.name, pair.key)?.base?.cursor ?? cursor;
        const save = (head: Head, next: MergedCursor): void => {
          this.#storeBase(pair, baseOf(stat, excerpt.to, head.seq, { ...next, tailHash }));
        };
        await this.#growth.take({ machine, pair, rule: seen.rule, excerpt, end, meta, save }, current);
      });
    } finally {
      await excerpt.release();
    }
  }

  /** A line that was never finished waits on its machine; when it has waited for long it is kept as a version as well. */
  async #keepTorn(machine: MachineView, pair: Pair, stat: FileStat, excerpt: Excerpt, end: number): Promise<void> {
    const age = this.#ctx.clock.now() - (stat.mtimeMs - machine.clockOffsetMs);
    if (age < TORN_KEPT_AFTER_MS) {
      machine.queue.again(pair.key, TORN_KEPT_AFTER_MS - Math.max(0, age) + 1, 'idle', { look: true, deep: true });
      return;
    }
    await keepVersion(this.#ctx, excerpt.read(end, excerpt.to), {
      key: pair.key,
      machine: machine.name,
      reason: 'torn',
      mtimeMs: stat.mtimeMs,
    });
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
        // Lines that had been verified here are gone or changed, also behind the point where copy and head part. A copy that only became
        // longer was not cut.
        const cut = cursor !== null && (common < Math.min(cursor.common, cursor.lineBytes) || end < cursor.lineBytes);
        if (cut) await this.#recordCut(machine, pair, cursor, excerpt, end);
        if (cut && end < cursor.lineBytes && common === end) {
          // A withdrawn message: nothing is pushed back at once, the head keeps every line.
          const missing: ByteRange[] = [];
          addRange(missing, [common, head.size]);
          if (!this.#ctx.guards.on('cut-keeps-head')) await this.#ctx.archive.truncate(pair.key, common);
          save(head, {
            lineBytes: end,
            merged: end,
            common,
            delivered: head.size,
            missing,
            cut: true,
            forkKey: null,
            origins: null,
          });
          return;
        }
        const known = cursor === null && pair.evictedSeq === null ? 'nothing' : 'merged';
        await this.#join.join({ machine, key: pair.key, common, end, excerpt, cut, known, rule, meta }, head, save);
      });
    } finally {
      await excerpt.release();
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

  async #recordCut(
    machine: MachineView,
    pair: Pair,
    cursor: LogCursor | null,
    excerpt: Excerpt,
    end: number,
  ): Promise<void> {
    const lost = (cursor?.lineBytes ?? 0) - end;
    if (cursor !== null && end < cursor.lineBytes / 2) machine.noteSuspicion('lost-log', pair.key);
    if (end > 0) {
      await keepVersion(this.#ctx, excerpt.read(0, end), {
        key: pair.key,
        machine: machine.name,
        reason: 'cut',
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

function metaOf(machine: MachineView, stat: FileStat, seenAt: number): AppendMeta {
  return { origin: machine.name, mtimeMs: Math.min(stat.mtimeMs - machine.clockOffsetMs, seenAt), seenAt };
}
