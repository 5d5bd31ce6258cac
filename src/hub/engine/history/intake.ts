import type { FileStat, MachineName, Pair } from '../../../core/domain.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect, takeExcerpt, wholeLineEnd, type Excerpt } from '../excerpt.ts';
import type { HistoryHeads } from './heads.ts';
import { cursorAt, HISTORY, historyBase, ownKey, readWholeLines } from './lines.ts';
import { hashTail, tailStart } from '../logs/cursor.ts';

/** What is new in a machine's file, and what is known of the rest. */
interface News {
  readonly excerpt: Excerpt;
  /** Where the lines that have to be looked at begin. */
  readonly start: number;
  /** The file only became longer. */
  readonly grown: boolean;
  /** It was known, and is another one now, or shorter. */
  readonly rewritten: boolean;
}

/** The inbound half of the prompt history: lines of a machine that the hub does not know go to that machine's head. */
export class HistoryIntake {
  readonly #ctx: EngineContext;
  readonly #heads: HistoryHeads;

  constructor(ctx: EngineContext, heads: HistoryHeads) {
    this.#ctx = ctx;
    this.#heads = heads;
  }

  /** Takes in what is new in the file and stores its base. */
  async take(machine: MachineView, pair: Pair, stat: FileStat): Promise<void> {
    const { store, lock, clock } = this.#ctx;
    const cursor = pair.base?.kind === 'file' ? pair.base.cursor : null;
    const first = cursor === null;
    const { excerpt, start, grown, rewritten } = await this.#news(machine, pair, stat);
    let isNews = false;
    try {
      const end = await wholeLineEnd(excerpt, start);
      const lines = await readWholeLines(excerpt.read(start, end));
      const tailHash = hashTail(await collect(excerpt.read(Math.max(excerpt.from, tailStart(end)), end)));
      const seenAt = clock.now();
      await lock.with(HISTORY, async () => {
        const whole = await this.#heads.withoutBroken(machine, lines);
        const remembered = whole.filter((line) => !this.#heads.isForgotten(line.bytes));
        const fresh = await this.#heads.enter(machine.name, remembered, seenAt);
        isNews = fresh.length > 0;
        // A file that is seen for the first time, was cut, or has lines that do not belong there is made whole once, in order of time.
        // Whether it is owed that already is asked now: others may have found so while this file was read.
        const latest = store.pairs.get(machine.name, HISTORY)?.base?.cursor ?? cursor;
        const lacks = first || rewritten ? !(await this.#heads.isWhole(lines)) : (latest?.cut ?? false);
        const owed = lacks || remembered.length < lines.length;
        const all = this.#heads.origins();
        const origins = { ...(latest?.origins ?? {}), [machine.name]: all[machine.name] ?? 0 };
        // Lines of others among the growth: the hub brought them and did not live to note it, or the CLI wrote at the same moment.
        const unaccounted =
          grown && (fresh.length < lines.length || (cursor !== null && cursor.common < cursor.lineBytes && !rewritten));
        store.pairs.put({
          ...pair,
          evictedSeq: null,
          base: historyBase(stat, excerpt.to, owed ? 0 : this.#heads.levelSeq(origins), {
            ...cursorAt(end, tailHash),
            common: unaccounted ? 0 : end,
            cut: owed,
            origins: first || rewritten ? (owed ? {} : all) : origins,
          }),
        });
        if (first && fresh.length > 0) this.#sortOthers(machine.name);
      });
      machine.noteReceived(excerpt.to - start);
    } finally {
      await excerpt.release();
    }
    this.#ctx.headChanged(HISTORY, machine.name, isNews);
  }

  /**
   * Lines that went into a file of this machine after the hub had replaced it: they are the machine's own, and its file lacks them.
   * @param alongside runs in the turn of the commit.
   */
  async takeLate(machine: MachineName, chunks: AsyncIterable<Uint8Array>, alongside: () => void): Promise<void> {
    const lines = await readWholeLines(chunks);
    const { store, lock, clock } = this.#ctx;
    await lock.with(HISTORY, async () => {
      const before = this.#heads.origins()[machine] ?? 0;
      await this.#heads.enter(machine, lines, clock.now(), () => {
        const pair = store.pairs.get(machine, HISTORY);
        const isNews = (store.heads.get(ownKey(machine))?.size ?? 0) > before;
        if (isNews && pair) this.#owe(pair);
        alongside();
      });
    });
    this.#ctx.headChanged(HISTORY, null);
  }

  async #news(machine: MachineView, pair: Pair, stat: FileStat): Promise<News> {
    const { archive } = this.#ctx;
    const cursor = pair.base?.kind === 'file' ? pair.base.cursor : null;
    const whole = async (): Promise<News> => ({
      excerpt: await takeExcerpt(machine.replica, archive, pair.path, 0, stat.size),
      start: 0,
      grown: false,
      rewritten: cursor !== null,
    });
    if (cursor === null || stat.size < cursor.lineBytes) return whole();
    const start = cursor.lineBytes;
    const from = tailStart(start);
    const excerpt = await takeExcerpt(machine.replica, archive, pair.path, from, stat.size);
    const same = excerpt.to >= start && hashTail(await collect(excerpt.read(from, start))) === cursor.tailHash;
    if (same) return { excerpt, start, grown: true, rewritten: false };
    await excerpt.release();
    return whole();
  }

  /** A machine's first pairing brings old lines: the others' files are put in order of time once, too. */
  #sortOthers(newcomer: MachineName): void {
    // Also a file that is just being made.
    this.#ctx.newGeneration(HISTORY);
    for (const pair of this.#ctx.store.pairs.ofKey(HISTORY)) {
      if (pair.machine !== newcomer) this.#owe(pair);
    }
  }

  /** The file is to be written anew, also when something is just being brought to it. */
  #owe(pair: Pair): void {
    if (pair.base?.kind !== 'file' || pair.base.cursor === null) return;
    this.#ctx.newGeneration(HISTORY);
    this.#ctx.store.pairs.put({ ...pair, base: { ...pair.base, cursor: { ...pair.base.cursor, cut: true } } });
  }
}
