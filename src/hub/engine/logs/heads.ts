import { readFacts, type LineFact } from '../../../core/log/record.ts';
import type { ByteRange, Head, Key, MachineName, UnixMs } from '../../../core/domain.ts';
import { once } from '../excerpt.ts';
import type { EngineContext } from '../context.ts';

/** Largest piece of a log that is held in memory. */
export const PIECE_BYTES = 1024 * 1024;

/** The user forgot the session while its content was on its way into the head. Nothing was kept of it. */
export class ForgottenMeanwhile extends Error {
  constructor(key: Key) {
    super(`${key} was forgotten while it was being read; nothing of it was kept`);
    this.name = 'ForgottenMeanwhile';
  }
}

/** A head was replaced while it was being sent: what was read of it may be of the one or the other. Nothing of it was written. */
export class HeadReplaced extends Error {
  constructor(key: Key) {
    super(`${key} was replaced while it was being sent; it is sent anew`);
    this.name = 'HeadReplaced';
  }
}

/**
 * Bytes `[from, to)` of the head of `generation`.
 * @throws {HeadReplaced} before it ends, when that is not the head any more.
 */
export async function* readHead(
  ctx: EngineContext,
  key: Key,
  [from, to]: ByteRange,
  generation: number,
): AsyncGenerator<Buffer> {
  for await (const chunk of ctx.archive.read(key, from, to)) {
    if (ctx.generation(key) !== generation) throw new HeadReplaced(key);
    yield chunk;
  }
  if (ctx.generation(key) !== generation) throw new HeadReplaced(key);
}

/** What an append to a head needs to know besides the bytes. */
export interface AppendMeta {
  readonly origin: MachineName;
  readonly mtimeMs: UnixMs;
  /** Hub time at which the change was seen. */
  readonly seenAt: UnixMs;
}

/**
 * Changes to the heads of logs. Every method has to be called with the key's lock held; `alongside` runs in the same turn as the
 * change of the head, so that both are in the same database commit.
 */
export class LogHeads {
  readonly #ctx: EngineContext;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  /**
   * Adds whole lines to the head, making it when there is none.
   * When the disk refuses, the archive is cut back to the head and the error goes on.
   */
  async append(
    key: Key,
    parts: AsyncIterable<Uint8Array>,
    meta: AppendMeta,
    alongside: (head: Head) => void,
  ): Promise<Head> {
    const { archive, store } = this.#ctx;
    if (this.#ctx.isForgotten(key)) throw new ForgottenMeanwhile(key);
    const before = this.present(key);
    const at = before?.size ?? 0;
    let size = at;
    try {
      for await (const part of parts) {
        await archive.append(key, size, part);
        size += part.length;
      }
    } catch (error) {
      // Only what this call has added: the file may be longer for another reason.
      if (size > at) await this.#cutBack(key, at);
      throw error;
    }
    if (size === at && before) {
      alongside(before);
      return before;
    }
    const head: Head = {
      key,
      seq: store.nextSeq(),
      kind: 'file',
      size,
      hash: null,
      mtimeMs: Math.max(before?.mtimeMs ?? 0, meta.mtimeMs),
      executable: false,
      origin: meta.origin,
    };
    store.heads.put(head);
    this.#ctx.noteHeadSeen(key, meta.seenAt);
    alongside(head);
    return head;
  }

  /** Puts other content in place of the head (fork, redact). Copies made level with the old one are not level any more. */
  async replace(
    key: Key,
    content: AsyncIterable<Uint8Array>,
    meta: AppendMeta,
    alongside: (head: Head) => void,
  ): Promise<Head> {
    const { archive, store } = this.#ctx;
    if (this.#ctx.isForgotten(key)) throw new ForgottenMeanwhile(key);
    const staged = await archive.stage(content);
    // Before as well as after: whoever reads while the files are exchanged has to notice.
    this.#ctx.newGeneration(key);
    await archive.install(key, staged, false);
    const head: Head = {
      key,
      seq: store.nextSeq(),
      kind: 'file',
      size: staged.bytes,
      hash: null,
      mtimeMs: meta.mtimeMs,
      executable: false,
      origin: meta.origin,
    };
    this.#ctx.newGeneration(key);
    store.heads.put(head);
    this.#ctx.noteHeadSeen(key, meta.seenAt);
    alongside(head);
    return head;
  }

  /** The head when it is a file. */
  present(key: Key): Head | undefined {
    const head = this.#ctx.store.heads.get(key);
    return head?.kind === 'file' ? head : undefined;
  }

  /** Facts of the lines in `[from, to)` of the head. */
  async facts(key: Key, from: number, to: number): Promise<LineFact[]> {
    return factsOf(from < to ? this.#ctx.archive.read(key, from, to) : once(Buffer.alloc(0)), from);
  }

  async #cutBack(key: Key, size: number): Promise<void> {
    const { archive } = this.#ctx;
    const found = await archive.size(key);
    if (found !== null && found > size) await (size === 0 ? archive.remove(key) : archive.truncate(key, size));
  }
}

/** Facts of all lines of a stream that starts at offset `start`. */
export async function factsOf(chunks: AsyncIterable<Uint8Array>, start: number): Promise<LineFact[]> {
  const facts: LineFact[] = [];
  for await (const fact of readFacts(chunks, start)) facts.push(fact);
  return facts;
}

/** Ranges of `head` lines that do not occur in `copy` (each copy line stands for one head line), neighbours joined. */
export function missingRanges(head: readonly LineFact[], copy: readonly LineFact[]): ByteRange[] {
  const left = new Map<string, number>();
  for (const fact of copy) left.set(fact.hash, (left.get(fact.hash) ?? 0) + 1);
  const missing: ByteRange[] = [];
  for (const fact of head) {
    const count = left.get(fact.hash) ?? 0;
    if (count > 0) left.set(fact.hash, count - 1);
    else addRange(missing, [fact.start, fact.end]);
  }
  return missing;
}

/** Adds a range behind the others, joined to the last one when they touch. Empty ranges are left out. */
export function addRange(ranges: ByteRange[], range: ByteRange): void {
  if (range[0] >= range[1]) return;
  const last = ranges.at(-1);
  if (last && last[1] >= range[0]) ranges[ranges.length - 1] = [last[0], Math.max(last[1], range[1])];
  else ranges.push(range);
}

/** Whether a line of the head lies in one of the ranges. */
export function isIn(ranges: readonly ByteRange[], line: LineFact): boolean {
  return ranges.some(([from, to]) => from <= line.start && line.start < to);
}
