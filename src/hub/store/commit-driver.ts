/** A value that SQLite stores. */
export type SqlValue = string | number | null | Uint8Array;

/** A row in the order of `TableShape.columns`. */
export type SqlRow = readonly SqlValue[];

/** What has to be known of a table to write rows of it. */
export interface TableShape {
  readonly name: string;
  /** The first `keyColumns` of `columns` are the primary key. */
  readonly keyColumns: number;
  readonly columns: readonly string[];
}

/** Rows of one table in a batch, at most one change per primary key. */
export interface TableChanges {
  readonly shape: TableShape;
  /** Whole rows, inserted or replaced. */
  readonly upserts: readonly SqlRow[];
  /** Primary keys. */
  readonly deletes: readonly SqlRow[];
}

/** One statement that is not about single rows (pruning). */
export interface FreeStatement {
  readonly sql: string;
  readonly params: SqlRow;
}

/** What one transaction does: `statements` first, then the changed rows. */
export interface Batch {
  /** Number of the store that writes; a batch of a store that was superseded by a later one is refused. */
  readonly epoch: number;
  /** Synced to stable storage when the commit resolves, together with every commit before it. */
  readonly durable: boolean;
  readonly statements: readonly FreeStatement[];
  readonly tables: readonly TableChanges[];
}

/**
 * Where transactions run. Batches are handed over one at a time: the next one only when the last has settled,
 * so a batch that failed cannot be overtaken by a later one.
 */
export interface CommitDriver {
  /** Commits all of `batch` or nothing of it. Committing the same batch twice is harmless. Rejects with SQLite's error. */
  commit(batch: Batch): Promise<void>;
  close(): Promise<void>;
}

/** Name of the setting that holds the number of the store that may write. */
export const EPOCH_SETTING = 'store.epoch';
