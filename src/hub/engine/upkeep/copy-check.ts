import { segmentsOf, type SegmentHashes } from '../../../core/log/segments.ts';
import type { Base, Head, LogCursor, Pair } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { isUnchanged } from '../files/base.ts';
import { FileView } from '../files/view.ts';
import type { HashesAhead } from './hashes-ahead.ts';
import { hashStream } from './head-check.ts';
import { isPrefix } from '../logs/cursor.ts';
import type { Pace } from './pace.ts';

/** What reading a copy showed. `silent`: it is not what was verified there, although size and time say so. */
export type CopyState = 'same' | 'silent' | 'not-compared';

/**
 * Compares a machine's copy byte by byte with what was verified there, when nothing speaks for a change: a disk that forgot, a tool
 * that put the time back. What was found is told to the ordinary flow, which looks at the file as at any that changed.
 *
 * Not compared are: a copy that was seen to change (the ordinary flow has it), one that has diverged (it has its own order until it is
 * level again), and the prompt history (every machine has its own bytes).
 */
export class CopyCheck {
  readonly #ctx: EngineContext;
  readonly #view: FileView;
  readonly #pace: Pace;

  readonly #ahead: HashesAhead;

  constructor(ctx: EngineContext, pace: Pace, ahead: HashesAhead) {
    this.#ctx = ctx;
    this.#ahead = ahead;
    this.#view = new FileView(ctx);
    this.#pace = pace;
  }

  /** @throws {ReplicaUnreachable} */
  async check(machine: MachineView, pair: Pair, head: Head, segments: SegmentHashes | null): Promise<CopyState> {
    const { base } = pair;
    if (base?.kind !== 'file' || pair.state !== 'ok' || pair.key === 'history') return 'not-compared';
    if (!(await this.#isUntouched(machine, pair, base))) return 'not-compared';
    try {
      const same =
        base.cursor === null
          ? await this.#sameDocument(machine, pair, base)
          : await this.#sameLog(machine, pair, base, base.cursor, { head, segments });
      if (same !== false) return same === null ? 'not-compared' : 'same';
    } catch (error) {
      // It went, or cannot be read any more: the ordinary flow sees that too.
      if (FileSystemError.is(error, 'missing', 'denied', 'io', 'not-a-file')) return 'not-compared';
      throw error;
    }
    // It may have changed in the ordinary way while it was read.
    if (!(await this.#isUntouched(machine, pair, base))) return 'not-compared';
    this.#doubt(machine, pair, base);
    return 'silent';
  }

  async #isUntouched(machine: MachineView, pair: Pair, base: Base): Promise<boolean> {
    const look = await machine.replica.look(pair.path);
    return (
      look.kind === 'file' &&
      isUnchanged(base, look.stat) &&
      this.#ctx.store.pairs.get(machine.name, pair.key)?.base === base
    );
  }

  async #sameDocument(machine: MachineView, pair: Pair, base: Base): Promise<boolean | null> {
    if (base.hash === null) return null;
    const rule = this.#ctx.rules.ofKey(pair.key);
    if (rule.merge !== 'keys') {
      const there = await this.#ahead.of(machine, pair.key, base);
      return (there ?? (await this.#hash(machine, pair, 0, base.fileBytes))) === base.hash;
    }
    // Of settings only a part is synced: that is what was hashed.
    const staged = await this.#view.stage(machine, pair, rule, base.fileBytes);
    if ('unreadable' in staged) return null;
    await this.#ctx.archive.discard(staged);
    return staged.sha256 === base.hash;
  }

  /** The copy is the beginning of the head: segment by segment, the last one (which ends elsewhere) against the head's own bytes. */
  async #sameLog(
    machine: MachineView,
    pair: Pair,
    base: Base,
    cursor: LogCursor,
    { head, segments }: { readonly head: Head; readonly segments: SegmentHashes | null },
  ): Promise<boolean | null> {
    if (!isPrefix(cursor) || segments === null || cursor.lineBytes > segments.bytes) return null;
    const there = base.fileBytes === cursor.lineBytes ? await this.#ahead.of(machine, pair.key, base) : null;
    if (there !== null)
      return there === (await hashStream(this.#pace.paced(this.#ctx.archive.read(head.key, 0, cursor.lineBytes))));
    const headSegments = segmentsOf(segments.bytes);
    for (const [index, [from, to]] of segmentsOf(cursor.lineBytes).entries()) {
      const expected =
        headSegments[index]?.[1] === to
          ? segments.hashes[index]
          : await hashStream(this.#pace.paced(this.#ctx.archive.read(head.key, from, to)));
      if ((await this.#hash(machine, pair, from, to)) !== expected) return false;
    }
    return true;
  }

  #hash(machine: MachineView, pair: Pair, from: number, to: number): Promise<string> {
    return hashStream(this.#pace.paced(machine.replica.read(pair.path, from, to)));
  }

  /** Takes back what was believed of the copy, and has it looked at. */
  #doubt(machine: MachineView, pair: Pair, base: Base): void {
    const cursor = base.cursor === null ? null : { ...base.cursor, tailHash: 'unknown' };
    this.#ctx.store.pairs.put({
      ...pair,
      base: { ...base, cursor, inode: cursor === null ? 'unknown' : base.inode, mtimeMs: -1 },
    });
    machine.queue.mark(pair.key, { look: true, deep: true });
    this.#ctx.logged({
      key: pair.key,
      source: machine.name,
      target: null,
      action: 'compare',
      outcome: 'done',
      bytes: base.fileBytes,
      durationMs: 0,
      detail: 'its content changed although size and time did not',
    });
  }
}
