import type { Database } from 'better-sqlite3';
import type { TableShape } from './commit-driver.ts';
import type { ApprovalRow, ApprovalTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const APPROVALS: TableShape = {
  name: 'approvals',
  keyColumns: 1,
  columns: ['id', 'key', 'machine', 'at', 'sha256', 'bytes', 'executable', 'status'],
};

/** Table `approvals`, in memory. */
export class Approvals implements ApprovalTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<number, ApprovalRow>();
  #lastId = 0;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${APPROVALS.columns.join(', ')} FROM approvals ORDER BY id`);
    for (const row of rows.iterate() as Iterable<Omit<ApprovalRow, 'executable'> & { executable: number }>) {
      this.#rows.set(row.id, { ...row, executable: row.executable === 1 });
      this.#lastId = row.id;
    }
  }

  add(row: Omit<ApprovalRow, 'id'>): ApprovalRow {
    const added = { ...row, id: ++this.#lastId };
    this.update(added);
    return added;
  }

  update(row: ApprovalRow): void {
    this.#rows.set(row.id, row);
    const { id, key, machine, at, sha256, bytes, executable, status } = row;
    this.#queue.put(APPROVALS, [id, key, machine, at, sha256, bytes, executable ? 1 : 0, status]);
  }

  get(id: number): ApprovalRow | undefined {
    return this.#rows.get(id);
  }

  /** Oldest first: that is the order in which they are to be decided. */
  list(status?: ApprovalRow['status']): ApprovalRow[] {
    return [...this.#rows.values()].filter((row) => status === undefined || row.status === status);
  }
}
