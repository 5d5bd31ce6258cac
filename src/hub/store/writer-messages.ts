import type { FreeStatement, TableChanges } from './commit-driver.ts';

/** What the writer thread is started with. */
export interface WriterStart {
  /** Absolute path of the database file, which has its tables already. */
  readonly path: string;
}

/** One part of a batch, or the request to close. */
export type ToWriter =
  | {
      readonly kind: 'part';
      readonly batch: number;
      readonly epoch: number;
      readonly durable: boolean;
      readonly first: boolean;
      readonly last: boolean;
      readonly statements: readonly FreeStatement[];
      readonly tables: readonly TableChanges[];
    }
  | { readonly kind: 'close' };

/** How a batch ended. Errors lose their class on the way between threads, so their parts are sent. */
export type FromWriter =
  | { readonly kind: 'committed'; readonly batch: number }
  | {
      readonly kind: 'failed';
      readonly batch: number;
      readonly name: string;
      readonly message: string;
      readonly code: string;
    };
