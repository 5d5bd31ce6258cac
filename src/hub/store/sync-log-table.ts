import type { Database, Statement } from 'better-sqlite3';
import type { UnixMs } from '../../core/domain.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { SyncLogRow, SyncLogTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const SYNC_LOG: TableShape = {
  name: 'sync_log',
  keyColumns: 1,
  columns: ['id', 'at', 'key', 'source', 'target', 'action', 'outcome', 'bytes', 'duration_ms', 'detail'],
};
const COLUMNS = SYNC_LOG.columns.join(', ');

/** Lines kept in memory, besides those that are not committed yet. */
const TAIL = 500;
interface Line {
  readonly id: number;
  readonly group: number;
  readonly row: SyncLogRow;
}

/** Table `sync_log`: the newest lines in memory, older ones in the database. */
export class SyncLog implements SyncLogTable {
  readonly #queue: WriteQueue;
  readonly #older: Statement;
  /** Oldest first. */
  #tail: Line[];
  #lastId: number;
  /** Older lines are gone, also while the statement that removes them is not committed. */
  #pruned: UnixMs = -Infinity;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    this.#older = db.prepare(`SELECT ${COLUMNS} FROM sync_log WHERE id < ? AND at >= ? ORDER BY id DESC LIMIT ?`).raw();
    const newest = this.#older.all(Number.MAX_SAFE_INTEGER, -Infinity, TAIL) as LogColumns[];
    this.#tail = newest.map((row) => ({ id: row[0], group: 0, row: decode(row) })).reverse();
    this.#lastId = this.#tail.at(-1)?.id ?? 0;
  }

  add(row: SyncLogRow): void {
    const id = ++this.#lastId;
    const group = this.#queue.put(SYNC_LOG, encode(id, row));
    this.#tail.push({ id, group, row });
    this.#trim();
  }

  /** Newest first. */
  recent(limit: number): SyncLogRow[] {
    if (limit <= 0) return [];
    const rows = this.#tail
      .slice(-limit)
      .map((line) => line.row)
      .reverse();
    if (rows.length === limit) return rows;
    const oldest = this.#tail[0]?.id ?? this.#lastId + 1;
    return [...rows, ...(this.#older.all(oldest, this.#pruned, limit - rows.length) as LogColumns[]).map(decode)];
  }

  prune(before: UnixMs): void {
    this.#pruned = Math.max(this.#pruned, before);
    for (const { id, row } of this.#tail) if (row.at < before) this.#queue.remove(SYNC_LOG, [id]);
    this.#tail = this.#tail.filter(({ row }) => row.at >= before);
    this.#queue.run({ sql: 'DELETE FROM sync_log WHERE at < ?', params: [before] });
  }

  /** Lines that are in the database may leave the memory; in steps, so that the array is not moved for every line. */
  #trim(): void {
    if (this.#tail.length < 2 * TAIL) return;
    const committed = this.#queue.committed;
    const uncommitted = this.#tail.findIndex((line) => line.group > committed);
    const enough = this.#tail.length - TAIL;
    this.#tail = this.#tail.slice(uncommitted === -1 ? enough : Math.min(enough, uncommitted));
  }
}

type LogColumns = [
  ...[id: number, at: number, key: string, source: string | null, target: string | null],
  ...[
    action: SyncLogRow['action'],
    outcome: SyncLogRow['outcome'],
    bytes: number,
    durationMs: number,
    detail: string | null,
  ],
];

function decode(columns: LogColumns): SyncLogRow {
  const [, at, key, source, target, action, outcome, bytes, durationMs, detail] = columns;
  return { at, key, source, target, action, outcome, bytes, durationMs, detail };
}

function encode(id: number, row: SyncLogRow): SqlRow {
  const { at, key, source, target, action, outcome, bytes, durationMs, detail } = row;
  return [id, at, key, source, target, action, outcome, bytes, durationMs, detail];
}
