import type { Database } from 'better-sqlite3';
import type { MachineName } from '../../core/domain.ts';
import type { TableShape } from './commit-driver.ts';
import type { IntentRow, IntentTable, UndoRow, UndoTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const INTENTS: TableShape = {
  name: 'intents',
  keyColumns: 1,
  columns: ['id', 'machine', 'path', 'temp', 'undo', 'at'],
};
const UNDO: TableShape = { name: 'undo', keyColumns: 2, columns: ['machine', 'name', 'path', 'size', 'at'] };

/** Table `intents`, in memory. */
export class Intents implements IntentTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<number, IntentRow>();
  #lastId = 0;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${INTENTS.columns.join(', ')} FROM intents ORDER BY id`);
    for (const row of rows.iterate() as Iterable<IntentRow>) {
      this.#rows.set(row.id, row);
      this.#lastId = row.id;
    }
  }

  add(row: Omit<IntentRow, 'id'>): IntentRow {
    const added = { ...row, id: ++this.#lastId };
    this.#rows.set(added.id, added);
    this.#queue.put(INTENTS, [added.id, added.machine, added.path, added.temp, added.undo, added.at]);
    return added;
  }

  delete(id: number): void {
    if (this.#rows.delete(id)) this.#queue.remove(INTENTS, [id]);
  }

  /** In the order in which they were begun. */
  ofMachine(machine: MachineName): IntentRow[] {
    return [...this.#rows.values()].filter((row) => row.machine === machine);
  }
}

/** Table `undo`, in memory. */
export class UndoEntries implements UndoTable {
  readonly #queue: WriteQueue;
  readonly #machines = new Map<MachineName, Map<string, UndoRow>>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${UNDO.columns.join(', ')} FROM undo ORDER BY at, machine, name`);
    for (const row of rows.iterate() as Iterable<UndoRow>) this.#keep(row);
  }

  put(row: UndoRow): void {
    this.#keep(row);
    this.#queue.put(UNDO, [row.machine, row.name, row.path, row.size, row.at]);
  }

  delete(machine: MachineName, name: string): void {
    if (this.#machines.get(machine)?.delete(name)) this.#queue.remove(UNDO, [machine, name]);
  }

  ofMachine(machine: MachineName): UndoRow[] {
    return [...(this.#machines.get(machine)?.values() ?? [])];
  }

  #keep(row: UndoRow): void {
    let rows = this.#machines.get(row.machine);
    if (rows === undefined) this.#machines.set(row.machine, (rows = new Map<string, UndoRow>()));
    rows.set(row.name, row);
  }
}
