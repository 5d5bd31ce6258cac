import type { Database } from 'better-sqlite3';
import type { TableShape } from './commit-driver.ts';
import type { PullRow, PullTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const PULLS: TableShape = {
  name: 'pulls',
  keyColumns: 1,
  columns: ['id', 'repository', 'number', 'updated_at', 'json'],
};

/** Table `pulls`, in memory. */
export class Pulls implements PullTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<string, PullRow>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare('SELECT id, repository, number, updated_at AS updatedAt, json FROM pulls');
    for (const row of rows.iterate() as Iterable<PullRow>) this.#rows.set(row.id, row);
  }

  put(row: PullRow): void {
    const before = this.#rows.get(row.id);
    if (before?.json === row.json) return;
    this.#rows.set(row.id, row);
    this.#queue.put(PULLS, [row.id, row.repository, row.number, row.updatedAt, row.json]);
  }

  delete(id: string): void {
    if (this.#rows.delete(id)) this.#queue.remove(PULLS, [id]);
  }

  values(): IterableIterator<PullRow> {
    return this.#rows.values();
  }
}
