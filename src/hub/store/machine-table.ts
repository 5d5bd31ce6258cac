import type { Database } from 'better-sqlite3';
import type { MachineName } from '../../core/domain.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { MachineRow, MachineTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const MACHINE_STATUS: TableShape = {
  name: 'machine_status',
  keyColumns: 1,
  columns: [
    ...['name', 'replica_id', 'claude_dir', 'home', 'os', 'status', 'reason'],
    ...['last_seen_at', 'last_sync_at', 'paused', 'quarantine', 'paired', 'connection_epoch'],
  ],
};

/** Table `machine_status`, in memory. */
export class Machines implements MachineTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<MachineName, MachineRow>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${MACHINE_STATUS.columns.join(', ')} FROM machine_status`).raw();
    for (const row of rows.iterate() as Iterable<MachineColumns>) this.#rows.set(row[0], decode(row));
  }

  get(name: MachineName): MachineRow | undefined {
    return this.#rows.get(name);
  }

  put(row: MachineRow): void {
    this.#rows.set(row.name, row);
    this.#queue.put(MACHINE_STATUS, encode(row));
  }

  delete(name: MachineName): void {
    if (this.#rows.delete(name)) this.#queue.remove(MACHINE_STATUS, [name]);
  }

  values(): IterableIterator<MachineRow> {
    return this.#rows.values();
  }
}

type MachineColumns = [
  ...[name: string, replicaId: string | null, claudeDir: string | null, home: string | null, os: string | null],
  ...[status: MachineRow['status'], reason: string | null, lastSeenAt: number | null, lastSyncAt: number | null],
  ...[paused: number, quarantine: string | null, paired: number, connectionEpoch: number],
];

function decode(row: MachineColumns): MachineRow {
  const [name, replicaId, claudeDir, home, os, status, reason, lastSeenAt, lastSyncAt] = row;
  const [paused, quarantine, paired, connectionEpoch] = row.slice(9) as [number, string | null, number, number];
  return {
    ...{ name, replicaId, claudeDir, home, os, status, reason, lastSeenAt, lastSyncAt },
    ...{ paused: paused === 1, quarantine, paired: paired === 1, connectionEpoch },
  };
}

function encode(row: MachineRow): SqlRow {
  return [
    ...[
      row.name,
      row.replicaId,
      row.claudeDir,
      row.home,
      row.os,
      row.status,
      row.reason,
      row.lastSeenAt,
      row.lastSyncAt,
    ],
    ...[row.paused ? 1 : 0, row.quarantine, row.paired ? 1 : 0, row.connectionEpoch],
  ];
}
