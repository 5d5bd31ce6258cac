import type { Database } from 'better-sqlite3';
import { BatchWriter } from './batch-writer.ts';
import type { Batch, CommitDriver } from './commit-driver.ts';

/**
 * Commits on the calling thread, before `commit` returns. For tests, short-lived commands and the deterministic simulation.
 */
export class InlineDriver implements CommitDriver {
  readonly #writer: BatchWriter;
  readonly #close: () => void;

  /** @param close what to do with the connection when the store closes; nothing when it belongs to somebody else. */
  constructor(db: Database, close: () => void) {
    this.#writer = new BatchWriter(db);
    this.#close = close;
  }

  // Not `async`: the transaction has to be over when this returns, and a promise only says how it ended.
  commit(batch: Batch): Promise<void> {
    try {
      this.#writer.begin(batch.epoch, batch.durable);
      this.#writer.write(batch.statements, batch.tables);
      this.#writer.commit();
      return Promise.resolve();
    } catch (error) {
      this.#writer.rollback();
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}
