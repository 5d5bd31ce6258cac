import type { Database } from 'better-sqlite3';
import type { TableShape } from './commit-driver.ts';
import type { SessionMarkRow, SessionMarkTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const MARKS: TableShape = { name: 'session_marks', keyColumns: 1, columns: ['session', 'seq', 'at', 'json'] };

/** Table `session_marks`, in memory. */
export class SessionMarks implements SessionMarkTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<string, SessionMarkRow>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare('SELECT session, seq, at, json FROM session_marks');
    for (const row of rows.iterate() as Iterable<SessionMarkRow>) this.#rows.set(row.session, row);
  }

  get(session: string): SessionMarkRow | undefined {
    return this.#rows.get(session);
  }

  put(row: SessionMarkRow): void {
    this.#rows.set(row.session, row);
    this.#queue.put(MARKS, [row.session, row.seq, row.at, row.json]);
  }

  delete(session: string): void {
    if (this.#rows.delete(session)) this.#queue.remove(MARKS, [session]);
  }

  values(): IterableIterator<SessionMarkRow> {
    return this.#rows.values();
  }
}
