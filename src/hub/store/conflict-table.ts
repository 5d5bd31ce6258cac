import type { Database } from 'better-sqlite3';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { ConflictRow, ConflictSide, ConflictStatus, ConflictTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const CONFLICTS: TableShape = {
  name: 'conflicts',
  keyColumns: 1,
  columns: ['id', 'key', 'at', 'status', 'base_sha256', 'sides', 'strategy', 'winner', 'resolved_at', 'resolution'],
};

/** Table `conflicts`, in memory: a conflict is a decision of a person, so there are never many. */
export class Conflicts implements ConflictTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<number, ConflictRow>();
  #lastId = 0;
  #open = 0;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${CONFLICTS.columns.join(', ')} FROM conflicts ORDER BY id`).raw();
    for (const row of rows.iterate() as Iterable<ConflictColumns>) this.#keep(decode(row));
  }

  add(row: Omit<ConflictRow, 'id'>): ConflictRow {
    const added = { ...row, id: this.#lastId + 1 };
    this.update(added);
    return added;
  }

  update(row: ConflictRow): void {
    this.#keep(row);
    this.#queue.put(CONFLICTS, encode(row));
  }

  get(id: number): ConflictRow | undefined {
    return this.#rows.get(id);
  }

  /** Newest first. */
  list(filter: { readonly status?: ConflictStatus; readonly key?: string } = {}): ConflictRow[] {
    const rows: ConflictRow[] = [];
    for (const row of this.#rows.values()) {
      if (filter.status !== undefined && row.status !== filter.status) continue;
      if (filter.key !== undefined && row.key !== filter.key) continue;
      rows.push(row);
    }
    return rows.reverse();
  }

  openCount(): number {
    return this.#open;
  }

  #keep(row: ConflictRow): void {
    if (this.#rows.get(row.id)?.status === 'open') this.#open--;
    if (row.status === 'open') this.#open++;
    this.#rows.set(row.id, row);
    this.#lastId = Math.max(this.#lastId, row.id);
  }
}

type ConflictColumns = [
  ...[id: number, key: string, at: number, status: ConflictStatus, baseSha256: string | null, sides: string],
  ...[strategy: string, winner: string | null, resolvedAt: number | null, resolution: string | null],
];

function decode(row: ConflictColumns): ConflictRow {
  const [id, key, at, status, baseSha256, sidesJson, strategy, winner, resolvedAt, resolution] = row;
  const sides = JSON.parse(sidesJson) as ConflictSide[];
  return { id, key, at, status, baseSha256, sides, strategy, winner, resolvedAt, resolution };
}

function encode(row: ConflictRow): SqlRow {
  const { id, key, at, status, baseSha256, sides, strategy, winner, resolvedAt, resolution } = row;
  return [id, key, at, status, baseSha256, JSON.stringify(sides), strategy, winner, resolvedAt, resolution];
}
