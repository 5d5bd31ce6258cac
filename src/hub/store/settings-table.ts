import type { Database } from 'better-sqlite3';
import type { TableShape } from './commit-driver.ts';
import type { WriteQueue } from './write-queue.ts';

const SETTINGS: TableShape = { name: 'settings', keyColumns: 1, columns: ['name', 'value'] };

/** Table `settings`: small named values. Names that begin with `store.` are the store's own. */
export class Settings {
  readonly #queue: WriteQueue;
  readonly #values: Map<string, string>;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    this.#values = new Map(db.prepare('SELECT name, value FROM settings').raw().all() as [string, string][]);
  }

  get(name: string): string | null {
    return this.#values.get(name) ?? null;
  }

  /** @returns the number of the commit group that carries the value. */
  set(name: string, value: string): number {
    this.#values.set(name, value);
    return this.#queue.put(SETTINGS, [name, value]);
  }
}
