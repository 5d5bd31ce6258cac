import type { Key } from '../../../core/domain.ts';
import type { EngineContext } from '../context.ts';
import { Comparison, COMPARE_EVERY_MS, untilComparison } from './comparison.ts';
import type { Damage } from './damage.ts';
import type { MachineLink } from '../machines/link.ts';
import { Recurring, type Turn } from './recurring.ts';
import { Retention } from './retention.ts';

/** The first retention waits until the start is over; then one a day. */
const RETENTION_FIRST_MS = 10_000;
const RETENTION_EVERY_MS = 86_400_000;
/** What failed (a full disk) is tried again after this. */
const AGAIN_MS = 3_600_000;

/** What the upkeep needs from the engine. */
export interface UpkeepOptions {
  readonly ctx: EngineContext;
  readonly damage: Damage;
  readonly links: () => Iterable<MachineLink>;
  /** One of the tasks has ended well: what `status` shows may have changed. */
  readonly onDone: () => void;
  readonly onTrouble: (error: Error) => void;
}

/** What the hub does by itself from time to time, apart from any change: it removes old versions and compares all contents. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #tasks: Recurring[] = [];
  readonly #comparison: Comparison;
  readonly #mending = new Map<Key, Promise<void>>();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { ctx, damage, links } = options;
    const { store, clock, settings } = ctx;
    if (settings.versions !== undefined) {
      const retention = new Retention(ctx, settings.versions);
      this.#every(
        RETENTION_EVERY_MS,
        () => RETENTION_FIRST_MS,
        (turn) => retention.run(turn),
      );
    }
    this.#comparison = new Comparison({ ctx, damage, links });
    this.#every(
      COMPARE_EVERY_MS,
      () => untilComparison(store, clock.now()),
      (turn) => this.#comparison.run(turn),
    );
  }

  /** The file of a head was found damaged while it was used. */
  mend(key: Key): void {
    if (this.#mending.has(key)) return;
    const { onDone, onTrouble } = this.#options;
    const mending = this.#comparison
      .mend(key)
      .then(onDone, (error: unknown) => onTrouble(error instanceof Error ? error : new Error(String(error))))
      .finally(() => this.#mending.delete(key));
    this.#mending.set(key, mending);
  }

  start(): void {
    for (const task of this.#tasks) task.start();
  }

  /** Resolves when nothing of it is under way. */
  async stop(): Promise<void> {
    await Promise.all([...this.#tasks.map((task) => task.stop()), ...this.#mending.values()]);
  }

  #every(everyMs: number, firstMs: () => number, run: (turn: Turn) => Promise<void>): void {
    const { ctx, onDone, onTrouble } = this.#options;
    const task = async (turn: Turn): Promise<void> => {
      await run(turn);
      onDone();
    };
    this.#tasks.push(new Recurring({ clock: ctx.clock, firstMs, everyMs, againMs: AGAIN_MS, task, onTrouble }));
  }
}
