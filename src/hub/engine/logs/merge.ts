import { checkpointToAppend } from '../../../core/log/checkpoint.ts';
import { forkUuid, rewriteSessionId } from '../../../core/log/fork.ts';
import { readLines } from '../../../core/log/lines.ts';
import { takeApart } from '../../../core/log/growth.ts';
import { hasCompaction, mergeAgain, mergeTails, newestActivity } from '../../../core/log/merge.ts';
import { parseFact, type LineFact } from '../../../core/log/record.ts';
import type { ByteRange, Head, Key, LogCursor, MachineName } from '../../../core/domain.ts';
import { withoutBrokenLines } from './broken-lines.ts';
import { sessionOf, type EngineContext } from '../context.ts';
import type { Excerpt } from '../excerpt.ts';
import { isPrefix } from './cursor.ts';
import { addRange, factsOf, isIn, missingRanges, PIECE_BYTES, type AppendMeta, type LogHeads } from './heads.ts';

/** How far before the point where copy and head part late appends of the hub are looked for. */
const REACH_BYTES = 1024 * 1024;

/** A copy that has lines of its own behind the prefix it shares with the head. */
export interface DivergedCopy {
  readonly machine: MachineName;
  /** Machine clock minus hub clock, ms. */
  readonly clockOffsetMs: number;
  readonly key: Key;
  /** Verified common prefix of copy and head. */
  readonly common: number;
  /** End of the last whole line of the copy. */
  readonly end: number;
  readonly excerpt: Excerpt;
  /** The copy had been level further than `common`: lines were taken out of it. */
  readonly cut: boolean;
  /**
   * What the head had of this copy before: `nothing` (first meeting), `prefix` (what they have in common; the hub may have been
   * about to append the head's next lines here), `merged` (all of it).
   */
  readonly known: 'nothing' | 'prefix' | 'merged';
  /** Only transcripts have checkpoints and forks. */
  readonly transcript: boolean;
}

/** What a merge leaves behind: the cursor of the copy (without its tail hash). */
export type MergedCursor = Omit<LogCursor, 'tailHash'>;

/**
 * Makes one log out of two (docs/sync.md section 4). Call with the key's lock held.
 */
export class LogMerge {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;

  constructor(ctx: EngineContext, heads: LogHeads) {
    this.#ctx = ctx;
    this.#heads = heads;
  }

  /**
   * Brings the copy's own lines into the head (or into a fork).
   * @param alongside gets the head and the copy's new cursor in the turn of the commit.
   */
  async merge(
    copy: DivergedCopy,
    meta: AppendMeta,
    alongside: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    const head = this.#heads.present(copy.key);
    if (!head) throw new Error(`merge of ${copy.key} without a head`);
    const headTail = await this.#heads.facts(copy.key, copy.common, head.size);
    const copyTail = await factsOf(copy.excerpt.read(copy.common, copy.end), copy.common);
    if (
      copy.transcript &&
      copyTail.length > 0 &&
      headTail.length > 0 &&
      (hasCompaction(headTail) || hasCompaction(copyTail))
    ) {
      return this.#fork(copy, head, headTail, copyTail, meta, alongside);
    }
    const take = this.#ctx.guards.on('merge-divergence') ? await this.#newLines(copy, head, headTail, copyTail) : [];
    const missing = missingRanges(headTail, copyTail);
    const checkpoint = copy.transcript && take.length > 0 ? await this.#checkpoint(copy, headTail, copyTail) : null;
    const checkpointBytes = checkpoint ?? Buffer.alloc(0);
    const parts = concatenate([takeRanges(copy.excerpt, take), oneBuffer(checkpointBytes)]);
    const after = await this.#heads.append(copy.key, parts, meta, (made) => {
      addRange(missing, [made.size - checkpointBytes.length, made.size]);
      alongside(made, {
        lineBytes: copy.end,
        merged: copy.end,
        common: copy.common,
        delivered: made.size,
        missing,
        cut: copy.cut,
        forkKey: null,
        origins: null,
      });
    });
    this.#ctx.logged({
      key: copy.key,
      source: copy.machine,
      target: null,
      action: copy.cut ? 'cut' : 'merge',
      outcome: 'done',
      bytes: after.size - head.size,
      durationMs: 0,
      detail: `${take.length} lines joined behind ${copy.common} common bytes`,
    });
  }

  /** Lines of the copy's tail that the head does not have. */
  async #newLines(
    copy: DivergedCopy,
    head: Head,
    headTail: readonly LineFact[],
    copyTail: readonly LineFact[],
  ): Promise<readonly LineFact[]> {
    if (copy.known === 'nothing') return mergeTails(headTail, copyTail);
    const whole = await withoutBrokenLines(this.#ctx, copy, copyTail, [copy.common, head.size]);
    // What the hub had sent here before may turn up late: it lies before the point where the two part.
    const reach = await this.#heads.facts(copy.key, Math.max(0, copy.common - REACH_BYTES), copy.common);
    const sent = this.#ctx.sentLines.of(copy.machine, copy.key, this.#ctx.generation(copy.key));
    switch (copy.known) {
      case 'prefix':
        return takeApart(
          whole,
          [...reach, ...headTail],
          (line) => line.start >= copy.common,
          // What both have in common is accounted for: an equal line behind it is that machine's own.
          (line) => line.start >= copy.common && isIn(sent, line),
        ).added;
      case 'merged': {
        const before = new Set(reach.filter((line) => line.uuid !== null).map((line) => line.hash));
        return mergeAgain(
          headTail,
          whole.filter((line) => !before.has(line.hash)),
        );
      }
    }
  }

  /** Growth of a copy whose side of a compacted divergence lives on as a session of its own. */
  async growFork(
    forkKey: Key,
    session: string,
    growth: AsyncIterable<Uint8Array>,
    meta: AppendMeta,
    alongside: (head: Head) => void,
  ): Promise<void> {
    const fork = sessionOf(forkKey);
    if (fork === null) throw new Error(`not a session: ${forkKey}`);
    await this.#heads.append(forkKey, rewritten(growth, session, fork), meta, alongside);
  }

  /** The checkpoint that keeps the branch with the newest activity the one that is resumed, when it is not the last tail. */
  async #checkpoint(
    copy: DivergedCopy,
    headTail: readonly LineFact[],
    copyTail: readonly LineFact[],
  ): Promise<Buffer | null> {
    if (!this.#headIsNewer(copy, headTail, copyTail)) return null;
    const session = sessionOf(copy.key);
    const wanted = session === null ? null : checkpointToAppend(headTail, session);
    if (wanted === null) return null;
    if ('line' in wanted) return endWithNewline(wanted.line);
    const parts: Buffer[] = [];
    for await (const part of this.#ctx.archive.read(copy.key, wanted.repeat.start, wanted.repeat.end)) parts.push(part);
    return endWithNewline(Buffer.concat(parts));
  }

  #headIsNewer(copy: DivergedCopy, headTail: readonly LineFact[], copyTail: readonly LineFact[]): boolean {
    const head = this.#heads.present(copy.key);
    const headOffset = (head && this.#ctx.machine(head.origin)?.clockOffsetMs) ?? 0;
    const headAt = newestActivity(headTail);
    const copyAt = newestActivity(copyTail);
    if (headAt === null) return false;
    return copyAt === null || headAt - headOffset > copyAt - copy.clockOffsetMs;
  }

  async #fork(
    copy: DivergedCopy,
    head: Head,
    headTail: readonly LineFact[],
    copyTail: readonly LineFact[],
    meta: AppendMeta,
    alongside: (head: Head, cursor: MergedCursor) => void,
  ): Promise<void> {
    const session = sessionOf(copy.key);
    if (session === null) throw new Error(`not a session: ${copy.key}`);
    const lastCommon = await this.#lastUuid(copy.key, copy.common);
    const headStays = this.#headIsNewer(copy, headTail, copyTail);
    const side = headStays ? copy.machine : head.origin;
    const fork = forkUuid(session, side, lastCommon);
    const forkKey = `session/${fork}`;
    const prefix = (): AsyncIterable<Uint8Array> => this.#ctx.archive.read(copy.key, 0, copy.common);

    if (headStays) {
      await this.#writeFork(
        forkKey,
        session,
        fork,
        prefix,
        () => copy.excerpt.read(copy.common, copy.end),
        copyTail,
        meta,
      );
      alongside(head, {
        lineBytes: copy.end,
        merged: copy.end,
        common: copy.common,
        delivered: head.size,
        missing: copy.common < head.size ? [[copy.common, head.size]] : [],
        cut: copy.cut,
        forkKey,
        origins: null,
      });
    } else {
      const headBytes = (): AsyncIterable<Uint8Array> => this.#ctx.archive.read(copy.key, copy.common, head.size);
      await this.#writeFork(forkKey, session, fork, prefix, headBytes, headTail, {
        ...meta,
        origin: head.origin,
        mtimeMs: head.mtimeMs,
      });
      const content = concatenate([prefix(), copy.excerpt.read(copy.common, copy.end)]);
      await this.#heads.replace(copy.key, content, meta, (made) => {
        this.#moveOthersToFork(copy, forkKey, made);
        alongside(made, {
          lineBytes: copy.end,
          merged: copy.end,
          common: copy.end,
          delivered: copy.end,
          missing: [],
          cut: false,
          forkKey: null,
          origins: null,
        });
      });
    }
    this.#ctx.noteFork(session, fork);
    this.#ctx.headChanged(forkKey, null);
    this.#ctx.logged({
      key: copy.key,
      source: copy.machine,
      target: null,
      action: 'merge',
      outcome: 'done',
      bytes: 0,
      durationMs: 0,
      detail: `compacted on one side: the side of ${side} goes on as ${forkKey}`,
    });
  }

  /** Uuid of the last record that ends at or before `end`; `null` when there is none. Reads backwards: it is never far. */
  async #lastUuid(key: Key, end: number): Promise<string | null> {
    for (let reach = REACH_BYTES; ; reach *= 4) {
      const from = Math.max(0, end - reach);
      // The first line may begin in its middle, and is no record then.
      const last = (await this.#heads.facts(key, from, end)).findLast(
        (fact) => fact.uuid !== null && (from === 0 || fact.start > from),
      );
      if (last || from === 0) return last?.uuid ?? null;
    }
  }

  /** The fork's head: what is common, then the side's own lines. A fork that is there already gets only what it lacks. */
  async #writeFork(
    forkKey: Key,
    session: string,
    fork: string,
    prefix: () => AsyncIterable<Uint8Array>,
    tail: () => AsyncIterable<Uint8Array>,
    tailFacts: readonly LineFact[],
    meta: AppendMeta,
  ): Promise<void> {
    await this.#ctx.lock.with(forkKey, async () => {
      const present = this.#heads.present(forkKey);
      if (!present) {
        await this.#heads.append(forkKey, rewritten(concatenate([prefix(), tail()]), session, fork), meta, () => {});
        return;
      }
      const facts: LineFact[] = [];
      const byFact = new Map<LineFact, Buffer>();
      for await (const line of readLines(rewritten(tail(), session, fork))) {
        if (line.bytes === null) continue;
        const fact = parseFact(line);
        facts.push(fact);
        byFact.set(fact, endWithNewline(line.bytes));
      }
      const lines = mergeAgain(await this.#heads.facts(forkKey, 0, present.size), facts).map(
        (fact) => byFact.get(fact) ?? NEWLINE,
      );
      if (tailFacts.length > 0 && lines.length > 0)
        await this.#heads.append(forkKey, oneBuffer(Buffer.concat(lines)), meta, () => {});
    });
  }

  /** Copies that hold more of the old head than is common belong to the fork from now on. */
  #moveOthersToFork(copy: DivergedCopy, forkKey: Key, made: Head): void {
    for (const pair of this.#ctx.store.pairs.ofKey(copy.key)) {
      const base = pair.base;
      if (pair.machine === copy.machine || !base?.cursor) continue;
      if (!holdsBeyond(base.cursor, copy.common)) {
        this.#ctx.store.pairs.put({ ...pair, base: { ...base, seq: 0, cursor: upTo(base.cursor, copy.common) } });
        continue;
      }
      const missing: ByteRange[] = [];
      addRange(missing, [copy.common, made.size]);
      const cursor: LogCursor = {
        ...base.cursor,
        merged: base.cursor.lineBytes,
        common: Math.min(base.cursor.common, copy.common),
        delivered: made.size,
        missing,
        cut: false,
        // A copy that goes on as a fork already stays with that one.
        forkKey: base.cursor.forkKey ?? forkKey,
        tailHash: base.cursor.tailHash,
      };
      this.#ctx.store.pairs.put({ ...pair, base: { ...base, cursor } });
    }
  }
}

/** Whether a copy has lines of the head's behind `offset`. */
function holdsBeyond(cursor: LogCursor, offset: number): boolean {
  if (isPrefix(cursor)) return cursor.lineBytes > offset;
  const lacking = cursor.missing.reduce((sum, [from, to]) => sum + Math.max(0, to - Math.max(from, offset)), 0);
  return cursor.delivered - offset > lacking;
}

/** The cursor against a head that is another one behind `offset`, of which the copy has nothing. */
function upTo(cursor: LogCursor, offset: number): LogCursor {
  if (isPrefix(cursor)) return cursor;
  const missing = cursor.missing.flatMap(([from, to]): ByteRange[] =>
    from < offset ? [[from, Math.min(to, offset)]] : [],
  );
  return { ...cursor, delivered: Math.min(cursor.delivered, offset), missing };
}

/** Lines `take` of the excerpt, in order, neighbours read together. */
export async function* takeRanges(excerpt: Excerpt, take: readonly LineFact[]): AsyncGenerator<Buffer> {
  const ranges: ByteRange[] = [];
  for (const fact of take) addRange(ranges, [fact.start, fact.end]);
  for (const [from, to] of ranges) yield* excerpt.read(from, to);
}

/** The streams one after the other. */
export async function* concatenate(parts: readonly AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* part;
}

async function* oneBuffer(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

function endWithNewline(line: Buffer): Buffer {
  return line.at(-1) === 0x0a ? line : Buffer.concat([line, NEWLINE]);
}

const NEWLINE = Buffer.from('\n');

/** Whole lines with their session id replaced; gathered into pieces so that the archive gets few writes. */
async function* rewritten(chunks: AsyncIterable<Uint8Array>, from: string, to: string): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const line of readLines(chunks)) {
    if (line.bytes === null) throw new Error('a line over the limit cannot be carried into a fork');
    const bytes = rewriteSessionId(line.bytes, from, to);
    parts.push(bytes, ...(line.terminated ? [NEWLINE] : []));
    size += bytes.length + 1;
    if (size >= PIECE_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      size = 0;
    }
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}
