import { takeApart } from '../../../core/log/growth.ts';
import { commonWholeLines } from '../../../core/log/prefix.ts';
import type { ByteRange, Head, LogCursor, Pair } from '../../../core/domain.ts';
import type { LineFact } from '../../../core/log/record.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import { withoutBrokenLines } from './broken-lines.ts';
import { sessionOf, type EngineContext, type MachineView } from '../context.ts';
import type { Excerpt } from '../excerpt.ts';
import { isPrefix, prefixCursor } from './cursor.ts';
import { addRange, factsOf, isIn, type AppendMeta, type LogHeads } from './heads.ts';
import type { LogJoin } from './join.ts';
import { takeRanges, type LogMerge, type MergedCursor } from './merge.ts';

/** How far behind the head's end lines of a late append are looked for. */
const ECHO_REACH_BYTES = 1024 * 1024;

/** What came to the end of a copy since its base. */
export interface Growth {
  readonly machine: MachineView;
  readonly pair: Pair;
  readonly rule: Rule;
  readonly excerpt: Excerpt;
  /** End of the last whole line. */
  readonly end: number;
  readonly meta: AppendMeta;
  /** Stores the copy's new cursor; called in the turn of the commit. */
  readonly save: (head: Head, cursor: MergedCursor) => void;
}

/** Brings the growth of a copy into its head: what that machine wrote is new, what it got from the hub is not. */
export class LogGrowth {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #merge: LogMerge;
  readonly #join: LogJoin;

  constructor(ctx: EngineContext, heads: LogHeads, merge: LogMerge, join: LogJoin) {
    this.#ctx = ctx;
    this.#heads = heads;
    this.#merge = merge;
    this.#join = join;
  }

  /** Call with the key's lock held, and with the cursor as it is then. */
  async take(growth: Growth, cursor: LogCursor): Promise<void> {
    if (cursor.forkKey !== null) return this.#toFork(growth, cursor, cursor.forkKey);
    if (isPrefix(cursor)) return this.#ofPrefix(growth, cursor);
    return this.#ofDiverged(growth, cursor);
  }

  /** The copy was a prefix of the head. */
  async #ofPrefix(growth: Growth, cursor: LogCursor): Promise<void> {
    const { machine, pair, rule, excerpt, end, meta, save } = growth;
    const head = this.#heads.present(pair.key);
    if (!head) {
      // The head is gone (forgotten, lost): what was read is only the end of the file.
      this.#ctx.store.pairs.put({ ...pair, base: null });
      machine.queue.mark(pair.key, { look: true });
      return;
    }
    const same = await commonWholeLines(
      excerpt.read(cursor.lineBytes, end),
      this.#ctx.archive.read(pair.key, cursor.common, head.size),
    );
    const common = cursor.common + same;
    if (common === head.size && machine.mayEcho && this.#ctx.guards.on('unknown-outcome')) {
      if (await this.#ofEchoed(growth, cursor, head)) return;
    }
    await this.#join.join(
      { machine, key: pair.key, common, end, excerpt, cut: false, known: 'prefix', rule, meta },
      head,
      save,
    );
  }

  /**
   * An append that was given up with its connection may arrive late, behind the same lines that were sent again since. Its lines are
   * records that the head has: they are not news, and the copy that has them twice is put in order like a diverged one.
   * @returns false when there is nothing of that kind.
   */
  async #ofEchoed({ pair, excerpt, end, meta, save }: Growth, cursor: LogCursor, head: Head): Promise<boolean> {
    const grown = await factsOf(excerpt.read(cursor.lineBytes, end), cursor.lineBytes);
    const tail = await this.#heads.facts(pair.key, Math.max(0, head.size - ECHO_REACH_BYTES), head.size);
    const { added } = takeApart(grown, tail, () => false);
    if (added.length === grown.length) return false;
    await this.#heads.append(pair.key, takeRanges(excerpt, added), meta, (made) => {
      save(made, { ...prefixCursor(end), common: cursor.common, delivered: made.size });
    });
    return true;
  }

  /** Later growth of a copy that diverged. */
  async #ofDiverged({ pair, excerpt, end, meta, save }: Growth, cursor: LogCursor): Promise<void> {
    const trusted = this.#ctx.guards.on('merge-cursor');
    const from = trusted ? cursor.merged : Math.max(Math.min(cursor.common, cursor.merged), excerpt.from);
    const sizeBefore = this.#heads.present(pair.key)?.size ?? 0;
    const all = await factsOf(excerpt.read(from, end), from);
    const grown = await withoutBrokenLines(this.#ctx, { ...pair, excerpt }, all, [cursor.common, sizeBefore]);
    const lacking: ByteRange[] = [...cursor.missing];
    addRange(lacking, [cursor.delivered, sizeBefore]);
    // What was taken out there on purpose is not pushed, so it does not come back as an append of ours.
    const pushed: readonly ByteRange[] = cursor.cut ? [] : lacking;
    // What can come back is what was on its way there, or was sent a moment ago: not the head from its beginning on.
    const window = Math.min(lacking[0]?.[0] ?? sizeBefore, Math.max(0, sizeBefore - ECHO_REACH_BYTES));
    const head = trusted ? await this.#heads.facts(pair.key, window, sizeBefore) : [];
    const sent = this.#ctx.sentLines.of(pair.machine, pair.key, this.#ctx.generation(pair.key));
    const { added, echoed } = takeApart(
      grown,
      head,
      (line) => isIn(pushed, line),
      (line) => isIn(sent, line),
    );
    const missing = trusted ? rangesOf(head.filter((line) => isIn(lacking, line) && !echoed.has(line.start))) : lacking;
    await this.#heads.append(pair.key, takeRanges(excerpt, added), meta, (made) => {
      save(made, { ...cursor, lineBytes: end, merged: end, delivered: made.size, missing });
    });
  }

  async #toFork({ pair, excerpt, end, meta, save }: Growth, cursor: LogCursor, forkKey: string): Promise<void> {
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
}

function rangesOf(lines: readonly LineFact[]): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (const line of lines) addRange(ranges, [line.start, line.end]);
  return ranges;
}
