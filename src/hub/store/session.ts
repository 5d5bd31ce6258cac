import type { Database } from 'better-sqlite3';
import { EPOCH_SETTING } from './commit-driver.ts';
import { SEQUENCE_BLOCK, SEQUENCE_SETTING } from './sequence.ts';

/** Name of the setting that holds the epoch of the last store that was closed in order. */
export const CLOSED_SETTING = 'store.closed';

/** One opening of the database, from here to its close or crash. */
export interface StoreSession {
  /** Counts the openings. Only the latest may write. */
  readonly epoch: number;
  /** Last sequence number that may have been given. */
  readonly lastSeq: number;
}

/** Whether the last store on this database was closed in order (also true for a new one). */
export function wasClosed(db: Database): boolean {
  return readNumber(db, CLOSED_SETTING) === readNumber(db, EPOCH_SETTING);
}

/**
 * Begins a session: from now on earlier stores on this database are refused, and a block of sequence numbers is reserved.
 * Durable when this returns.
 */
export function beginSession(db: Database): StoreSession {
  db.pragma('synchronous = FULL');
  return db
    .transaction((): StoreSession => {
      const epoch = readNumber(db, EPOCH_SETTING) + 1;
      const lastSeq = Math.max(readNumber(db, SEQUENCE_SETTING), highest(db, 'heads'), highest(db, 'files'));
      write(db, EPOCH_SETTING, epoch);
      write(db, SEQUENCE_SETTING, lastSeq + SEQUENCE_BLOCK);
      return { epoch, lastSeq };
    })
    .immediate();
}

function highest(db: Database, table: 'heads' | 'files'): number {
  return db.prepare(`SELECT coalesce(max(seq), 0) FROM ${table}`).pluck().get() as number;
}

function readNumber(db: Database, name: string): number {
  return Number(db.prepare('SELECT value FROM settings WHERE name = ?').pluck().get(name) ?? 0);
}

function write(db: Database, name: string, value: number): void {
  db.prepare('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)').run(name, String(value));
}
