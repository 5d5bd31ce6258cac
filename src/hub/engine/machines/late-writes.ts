import type { LineFact } from '../../../core/log/record.ts';
import type { Key, MachineName } from '../../../core/domain.ts';
import { sessionOf, type EngineContext, type MachineView } from '../context.ts';
import { collect, takeExcerpt, wholeLineEnd } from '../excerpt.ts';
import { wholeLineBytes } from '../../../core/log/lines.ts';
import { takeApart } from '../../../core/log/growth.ts';
import type { HistoryCopy } from '../history/copy.ts';
import { factsOf, LogHeads } from '../logs/heads.ts';
import { LogMerge, takeRanges } from '../logs/merge.ts';
import { keepVersion } from '../keep-version.ts';
import type { Placement } from '../places/placement.ts';

/** How far before the known end a torn line may begin. */
const TORN_REACH = 1024 * 1024;
/** How much of the head's end is compared with what came late. */
const HEAD_TAIL = 8 * 1024 * 1024;

/**
 * A writer that held a file open while the hub replaced it goes on writing into the file that was put aside. Those bytes come back
 * as a change made at the same time (docs/sync.md section 7).
 */
export class LateWrites {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;
  readonly #heads: LogHeads;
  readonly #merge: LogMerge;
  /** One look at a machine's undo folder at a time: two would take the same bytes twice. */
  readonly #lookingAt = new Map<MachineName, Promise<void>>();

  readonly #history: HistoryCopy;

  constructor(ctx: EngineContext, placement: Placement, history: HistoryCopy) {
    this.#ctx = ctx;
    this.#placement = placement;
    this.#history = history;
    this.#heads = new LogHeads(ctx);
    this.#merge = new LogMerge(ctx, this.#heads);
  }

  /** Looks at everything that was put aside on the machine, after any look that is under way. */
  take(machine: MachineView): Promise<void> {
    if (!this.#ctx.guards.on('late-writes')) return Promise.resolve();
    const before = this.#lookingAt.get(machine.name) ?? Promise.resolve();
    const look = before.then(
      () => this.#look(machine),
      () => this.#look(machine),
    );
    this.#lookingAt.set(machine.name, look);
    return look;
  }

  async #look(machine: MachineView): Promise<void> {
    for (const late of await machine.replica.lateWrites()) {
      const rule = this.#ctx.rules.ofPath(late.path);
      // Nothing is at the path any more when the conversation was moved meanwhile.
      const key =
        this.#ctx.store.pairs.atPath(machine.name, late.path)?.key ?? (await this.#placement.keyOf(machine, late.path));
      // Whose it is may be known later; until then it stays where it is.
      if (key === null) continue;
      if (this.#ctx.isForgotten(key)) machine.replica.acknowledgeUndo(late.name, late.size);
      else if (rule.merge === 'log' || rule.merge === 'union')
        await this.#joinLog(machine, key, late.name, late.known, late.size);
      else {
        await this.#keep(machine, key, late.name, late.size);
        machine.replica.acknowledgeUndo(late.name, late.size);
      }
    }
  }

  async #joinLog(machine: MachineView, key: string, name: string, known: number, size: number): Promise<void> {
    const { archive, lock, clock } = this.#ctx;
    // `known` may lie inside a line that was torn when the file was put aside.
    const before = Math.max(0, known - TORN_REACH);
    const head = await collect(machine.replica.readUndo(name, before, known));
    const from = before + wholeLineBytes(head);
    const excerpt = await takeExcerpt(
      { read: (path, a, b) => machine.replica.readUndo(path, a, b) },
      archive,
      name,
      from,
      size,
    );
    try {
      const end = await wholeLineEnd(excerpt, from);
      // In the turn of the commit: a crash never takes the same bytes twice.
      const acknowledge = (): void => machine.replica.acknowledgeUndo(name, size);
      if (end === from) return acknowledge();
      if (key === 'history') return await this.#history.takeLate(machine.name, excerpt.read(from, end), acknowledge);
      const growth = await factsOf(excerpt.read(from, end), from);
      const now = clock.now();
      const meta = { origin: machine.name, mtimeMs: now, seenAt: now };
      const forkKey = machine.swappedFork(key);
      const session = sessionOf(key);
      if (forkKey !== null && session !== null) {
        await lock.with(forkKey, () =>
          this.#merge.growFork(forkKey, session, excerpt.read(from, end), meta, acknowledge),
        );
        this.#ctx.headChanged(forkKey, null);
        return;
      }
      await lock.with(key, async () => {
        const { added } = takeApart(growth, await this.#tailFacts(key), () => false);
        if (added.length === 0) return acknowledge();
        await this.#heads.append(key, takeRanges(excerpt, added), meta, acknowledge);
      });
      this.#ctx.headChanged(key, null);
    } finally {
      await excerpt.release();
    }
  }

  /** The head's last lines: appends of our own that hit the old file repeat some of them. */
  async #tailFacts(key: Key): Promise<LineFact[]> {
    const size = this.#heads.present(key)?.size ?? 0;
    return this.#heads.facts(key, Math.max(0, size - HEAD_TAIL), size);
  }

  async #keep(machine: MachineView, key: string, name: string, size: number): Promise<void> {
    await keepVersion(this.#ctx, machine.replica.readUndo(name, 0, size), {
      key,
      machine: machine.name,
      reason: 'overwritten',
      mtimeMs: this.#ctx.clock.now(),
    });
  }
}
