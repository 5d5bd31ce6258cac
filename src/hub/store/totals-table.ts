import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { MachineName } from '../../core/domain.ts';
import { ALL_MACHINES, type Counts } from '../../core/metrics/point.ts';
import { addCounts, NO_COUNTS } from '../../core/metrics/roll-up.ts';
import { jsonOrNull } from '../json-or-null.ts';
import type { TableShape } from './commit-driver.ts';
import type { Settings } from './settings-table.ts';
import type { TotalsTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const TOTALS: TableShape = {
  name: 'totals',
  keyColumns: 1,
  columns: ['machine', 'syncs', 'failed', 'conflicts', 'sent', 'received'],
};

/** Where the totals of all machines together were before this table. */
const EARLIER_SETTING = 'store.totals';
const Whole = z.number().int().nonnegative().catch(0);
const EARLIER = z.object({ syncs: Whole, failed: Whole, bytesSent: Whole, bytesReceived: Whole });

/** Table `totals`, in memory. The row without a machine is what was counted before it was counted for each. */
export class Totals implements TotalsTable {
  readonly #queue: WriteQueue;
  readonly #rows: Map<MachineName, Counts>;
  #all: Counts = NO_COUNTS;

  constructor(db: Database, queue: WriteQueue, settings: Settings) {
    this.#queue = queue;
    const rows = db.prepare(
      'SELECT machine, syncs, failed, conflicts, sent AS bytesSent, received AS bytesReceived FROM totals',
    );
    this.#rows = new Map(
      (rows.all() as ({ machine: MachineName } & Counts)[]).map(({ machine, ...counts }) => [machine, counts]),
    );
    for (const counts of this.#rows.values()) this.#all = addCounts(this.#all, counts);
    const earlier = EARLIER.safeParse(jsonOrNull(settings.get(EARLIER_SETTING)));
    if (this.#rows.size === 0 && earlier.success) this.add(ALL_MACHINES, earlier.data);
  }

  of(machine: MachineName): Counts {
    return this.#rows.get(machine) ?? NO_COUNTS;
  }

  all(): Counts {
    return this.#all;
  }

  add(machine: MachineName, more: Partial<Counts>): void {
    // The columns take whole numbers only, and one row that the database refuses would hold up everything behind it.
    const sound = Object.entries(more).filter(([, count]) => Number.isFinite(count));
    const whole = Object.fromEntries(sound.map(([name, count]) => [name, Math.round(count)]));
    const counts = addCounts(this.of(machine), whole);
    this.#rows.set(machine, counts);
    this.#all = addCounts(this.#all, whole);
    const { syncs, failed, conflicts, bytesSent, bytesReceived } = counts;
    this.#queue.put(TOTALS, [machine, syncs, failed, conflicts, bytesSent, bytesReceived]);
  }
}
