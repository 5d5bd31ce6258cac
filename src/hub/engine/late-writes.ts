import type { EngineContext, MachineView } from './context.ts';
import { collect, takeExcerpt, wholeLineEnd } from './excerpt.ts';
import { wholeLineBytes } from '../../core/log/lines.ts';
import { growthToAppend } from '../../core/log/merge.ts';
import { factsOf, LogHeads } from './log-heads.ts';

/** How far before the known end a torn line may begin. */
const TORN_REACH = 1024 * 1024;

/**
 * A writer that held a file open while the hub replaced it goes on writing into the file that was put aside. Those bytes come back
 * as a change made at the same time (docs/sync.md section 7).
 */
export class LateWrites {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #wake: () => void;

  constructor(ctx: EngineContext, wake: () => void = () => {}) {
    this.#ctx = ctx;
    this.#heads = new LogHeads(ctx);
    this.#wake = wake;
  }

  async take(machine: MachineView): Promise<void> {
    if (!this.#ctx.guards.on('late-writes')) return;
    for (const late of await machine.replica.lateWrites()) {
      const pair = this.#ctx.store.pairs.atPath(machine.name, late.path);
      const rule = this.#ctx.rules.ofPath(late.path);
      const key = pair?.key ?? null;
      if (key !== null && rule.merge === 'log') await this.#joinLog(machine, key, late.name, late.known, late.size);
      else if (key !== null) await this.#keep(machine, key, late.name, late.size);
      machine.replica.acknowledgeUndo(late.name, late.size);
      this.#wake();
    }
  }

  async #joinLog(machine: MachineView, key: string, name: string, known: number, size: number): Promise<void> {
    const { archive, lock, clock } = this.#ctx;
    // `known` may lie inside a line that was torn when the file was put aside.
    const before = Math.max(0, known - TORN_REACH);
    const head = await collect(machine.replica.readUndo(name, before, known));
    const from = before + wholeLineBytes(head);
    const excerpt = await takeExcerpt({ read: (path, a, b) => machine.replica.readUndo(path, a, b) }, archive, name, from, size);
    try {
      const end = await wholeLineEnd(excerpt, from);
      if (end === from) return;
      const growth = await factsOf(excerpt.read(from, end), from);
      await lock.with(key, async () => {
        const take = growthToAppend(growth, await this.#heads.knownRecords(key));
        const first = take[0];
        if (!first) return;
        const now = clock.now();
        await this.#heads.append(key, excerpt.read(first.start, end), { origin: machine.name, mtimeMs: now, seenAt: now }, () => {});
      });
      this.#ctx.headChanged(key, null);
    } finally {
      await excerpt.release();
    }
  }

  async #keep(machine: MachineView, key: string, name: string, size: number): Promise<void> {
    const { archive, store, clock } = this.#ctx;
    const kept = await archive.keep(machine.replica.readUndo(name, 0, size));
    store.versions.add({
      key,
      machine: machine.name,
      at: clock.now(),
      bytes: kept.bytes,
      sha256: kept.sha256,
      reason: 'overwritten',
      executable: false,
      mtimeMs: clock.now(),
    });
  }
}
