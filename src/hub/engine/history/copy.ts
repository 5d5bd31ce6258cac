import type { MachineName, Pair } from '../../../core/domain.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { isUnchanged } from '../files/base.ts';
import { HistoryDelivery } from './delivery.ts';
import { HistoryHeads } from './heads.ts';
import { HistoryIntake } from './intake.ts';
import { HISTORY } from './lines.ts';
import { LEVEL, type Outcome } from '../outcome.ts';
import type { Placement } from '../places/placement.ts';
import type { Mark } from '../work-queue.ts';

/**
 * Prompt history on one machine: its file is its own lines as they are, and everybody else's with the project path it has there
 * (docs/sync.md section 4).
 */
export class HistoryCopy {
  readonly #ctx: EngineContext;
  readonly #heads: HistoryHeads;
  readonly #intake: HistoryIntake;
  readonly #delivery: HistoryDelivery;

  constructor(ctx: EngineContext, placement: Placement) {
    this.#ctx = ctx;
    this.#heads = new HistoryHeads(ctx, placement);
    this.#intake = new HistoryIntake(ctx, this.#heads);
    this.#delivery = new HistoryDelivery(ctx, this.#heads);
  }

  /** Brings the file and the head level: what is new in the file is taken in, what it lacks is brought. */
  async reconcile(machine: MachineView, pair: Pair, mark: Mark): Promise<Outcome> {
    if (mark.look || pair.base?.kind !== 'file') {
      const look = await machine.replica.look(pair.path);
      if (look.kind === 'unknown' || look.kind === 'refused') {
        machine.notices.set(pair.path, look.reason);
        return { kind: 'held', reason: look.reason };
      }
      machine.notices.delete(pair.path);
      if (look.kind === 'absent') {
        const head = this.#ctx.store.heads.get(HISTORY);
        return head ? this.#delivery.create(machine, pair, head) : LEVEL;
      }
      if (pair.base?.kind !== 'file' || !isUnchanged(pair.base, look.stat)) {
        machine.noteChange(HISTORY);
        await this.#intake.take(machine, pair, look.stat);
      }
    }
    const head = this.#ctx.store.heads.get(HISTORY);
    // As it is now, in one turn with the heads: a `forget` may have written them anew since this began.
    const current = this.#ctx.store.pairs.get(machine.name, HISTORY) ?? pair;
    const { base } = current;
    if (!head || base?.kind !== 'file' || base.cursor === null) return LEVEL;
    return this.#delivery.deliver(machine, current, base, base.cursor, head);
  }

  /** @see HistoryIntake.takeLate */
  takeLate(machine: MachineName, chunks: AsyncIterable<Uint8Array>, alongside: () => void): Promise<void> {
    return this.#intake.takeLate(machine, chunks, alongside);
  }

  /** @see HistoryHeads.dropForgotten */
  dropForgotten(): Promise<void> {
    return this.#heads.dropForgotten();
  }
}
