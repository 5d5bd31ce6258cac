import type { Database, Statement } from 'better-sqlite3';
import { EPOCH_SETTING } from './commit-driver.ts';
import type { FreeStatement, SqlRow, TableChanges, TableShape } from './commit-driver.ts';

/** Another hub, or a later start of this one, has opened the database since: this store may not write any more. */
export class StoreSuperseded extends Error {
  constructor() {
    super('another hub has opened it since; this one has to be stopped');
    this.name = 'StoreSuperseded';
  }
}

/**
 * Runs the transaction of a batch on one connection. A batch may be handed over in parts (`begin`, any number of
 * `write`, `commit`), so that a large one need not be copied between threads in one go.
 */
export class BatchWriter {
  readonly #db: Database;
  readonly #upserts = new Map<string, Statement>();
  readonly #deletes = new Map<string, Statement>();
  readonly #epoch: Statement;
  readonly #touch: Statement;
  #synchronous = '';

  constructor(db: Database) {
    this.#db = db;
    this.#epoch = db.prepare('SELECT value FROM settings WHERE name = ?').pluck();
    this.#touch = db.prepare(
      "INSERT INTO settings VALUES ('store.durable', 1) ON CONFLICT DO UPDATE SET value = value + 1",
    );
  }

  /** @throws {StoreSuperseded} when a later store has been opened on the same file. */
  begin(epoch: number, durable: boolean): void {
    // In WAL mode a FULL commit syncs the log, with it every NORMAL commit before. It cannot be changed inside a transaction.
    const synchronous = durable ? 'FULL' : 'NORMAL';
    if (synchronous !== this.#synchronous) this.#db.pragma(`synchronous = ${synchronous}`);
    this.#synchronous = synchronous;
    this.#db.exec('BEGIN IMMEDIATE');
    if (Number(this.#epoch.get(EPOCH_SETTING)) !== epoch) throw new StoreSuperseded();
    // A transaction without a changed page would not sync anything.
    if (durable) this.#touch.run();
  }

  write(statements: readonly FreeStatement[], tables: readonly TableChanges[]): void {
    for (const statement of statements) this.#db.prepare(statement.sql).run(...statement.params);
    for (const { shape, upserts, deletes } of tables) {
      if (deletes.length > 0) runAll(this.#deleteFrom(shape), deletes);
      if (upserts.length > 0) runAll(this.#upsertInto(shape), upserts);
    }
  }

  commit(): void {
    this.#db.exec('COMMIT');
  }

  /** After a failure at any point; SQLite has rolled back by itself after some errors (disk full), not after others. */
  rollback(): void {
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  #upsertInto(shape: TableShape): Statement {
    let statement = this.#upserts.get(shape.name);
    if (!statement) {
      const places = shape.columns.map(() => '?').join(', ');
      statement = this.#db.prepare(
        `INSERT OR REPLACE INTO ${shape.name} (${shape.columns.join(', ')}) VALUES (${places})`,
      );
      this.#upserts.set(shape.name, statement);
    }
    return statement;
  }

  #deleteFrom(shape: TableShape): Statement {
    let statement = this.#deletes.get(shape.name);
    if (!statement) {
      const matches = shape.columns.slice(0, shape.keyColumns).map((column) => `${column} = ?`);
      statement = this.#db.prepare(`DELETE FROM ${shape.name} WHERE ${matches.join(' AND ')}`);
      this.#deletes.set(shape.name, statement);
    }
    return statement;
  }
}

function runAll(statement: Statement, rows: readonly SqlRow[]): void {
  for (const row of rows) statement.run(...row);
}
