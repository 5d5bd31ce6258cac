import type { Database, Statement } from 'better-sqlite3';
import type { UnixMs } from '../../core/domain.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { Settings } from './settings-table.ts';
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
const TOTALS_SETTING = 'store.totals';

/** Actions that carry content or its removal; the others are decisions and looks, and not counted as syncs. */
const TRANSFERS: ReadonlySet<SyncLogRow['action']> = new Set([
  'commit',
  'append',
  'put',
  'remove',
  'move',
  'merge',
  'restore',
]);

interface Totals {
  syncs: number;
  failed: number;
  bytesSent: number;
  bytesReceived: number;
}

interface Line {
  readonly id: number;
  readonly group: number;
  readonly row: SyncLogRow;
}

/**
 * Table `sync_log`: the newest lines in memory, older ones in the database. The totals are kept as a setting of their own,
 * because they outlive the lines.
 *
 * What is counted: every transfer that was done is a sync, every key that was given up on (after three tries) a failure. Bytes of a done transfer are
 * sent when it has a target, else received when it has a source.
 */
export class SyncLog implements SyncLogTable {
  readonly #queue: WriteQueue;
  readonly #settings: Settings;
  readonly #older: Statement;
  readonly #totals: Totals;
  /** Oldest first. */
  #tail: Line[];
  #lastId: number;
  /** Older lines are gone, also while the statement that removes them is not committed. */
  #pruned: UnixMs = -Infinity;

  constructor(db: Database, queue: WriteQueue, settings: Settings) {
    this.#queue = queue;
    this.#settings = settings;
    this.#older = db.prepare(`SELECT ${COLUMNS} FROM sync_log WHERE id < ? AND at >= ? ORDER BY id DESC LIMIT ?`).raw();
    const newest = this.#older.all(Number.MAX_SAFE_INTEGER, -Infinity, TAIL) as LogColumns[];
    this.#tail = newest.map((row) => ({ id: row[0], group: 0, row: decode(row) })).reverse();
    this.#lastId = this.#tail.at(-1)?.id ?? 0;
    const stored = JSON.parse(settings.get(TOTALS_SETTING) ?? '{}') as Partial<Totals>;
    this.#totals = { syncs: 0, failed: 0, bytesSent: 0, bytesReceived: 0, ...stored };
  }

  add(row: SyncLogRow): void {
    const id = ++this.#lastId;
    const group = this.#queue.put(SYNC_LOG, encode(id, row));
    this.#tail.push({ id, group, row });
    this.#trim();
    if (this.#counts(row)) this.#settings.set(TOTALS_SETTING, JSON.stringify(this.#totals));
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

  totals(): Totals {
    return { ...this.#totals };
  }

  prune(before: UnixMs): void {
    this.#pruned = Math.max(this.#pruned, before);
    for (const { id, row } of this.#tail) if (row.at < before) this.#queue.remove(SYNC_LOG, [id]);
    this.#tail = this.#tail.filter(({ row }) => row.at >= before);
    this.#queue.run({ sql: 'DELETE FROM sync_log WHERE at < ?', params: [before] });
  }

  #counts({ action, outcome, source, target, bytes }: SyncLogRow): boolean {
    // A failure is none of what was tried: its line says `refuse`, which is no transfer.
    const isFailure = outcome === 'failed';
    if (outcome === 'refused' || (!isFailure && !TRANSFERS.has(action))) return false;
    if (isFailure) this.#totals.failed++;
    else {
      this.#totals.syncs++;
      if (target !== null) this.#totals.bytesSent += bytes;
      else if (source !== null) this.#totals.bytesReceived += bytes;
    }
    return true;
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
