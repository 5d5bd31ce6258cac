import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Batch, CommitDriver, FreeStatement, TableChanges } from './commit-driver.ts';
import type { FromWriter, ToWriter, WriterStart } from './writer-messages.ts';

/** Rows that are copied to the thread in one go; more would hold the event loop for longer than a few ms. */
const ROWS_PER_PART = 1000;

interface Waiting {
  readonly batch: number;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Commits on a thread of its own. A thread that dies fails the batch it had; the next batch starts a new one. Whether that batch
 * was committed is then unknown, which is harmless because a batch can be committed twice.
 */
export class ThreadDriver implements CommitDriver {
  readonly #path: string;
  readonly #workerUrl: URL;
  #worker: Worker | null = null;
  #waiting: Waiting | null = null;
  #batches = 0;

  constructor(path: string, workerUrl: URL) {
    this.#path = path;
    this.#workerUrl = workerUrl;
  }

  /** Starts the thread ahead of the first commit. */
  begin(): Worker {
    return (this.#worker ??= this.#start());
  }

  async commit(batch: Batch): Promise<void> {
    const number = ++this.#batches;
    const worker = this.begin();
    const settled = new Promise<void>((resolve, reject) => (this.#waiting = { batch: number, resolve, reject }));
    // Handled below; without this a thread that dies between two parts would be an unhandled rejection.
    settled.catch(() => undefined);
    // A commit under way keeps the process alive, an idle thread does not.
    worker.ref();
    let first = true;
    for (const { last, ...part } of partsOf(batch)) {
      if (!first) await new Promise(setImmediate);
      if (this.#worker !== worker) break;
      const message: ToWriter = {
        kind: 'part',
        batch: number,
        epoch: batch.epoch,
        durable: batch.durable,
        first,
        last,
        ...part,
      };
      worker.postMessage(message);
      first = false;
    }
    await settled;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    worker.ref();
    const exited = once(worker, 'exit');
    worker.postMessage({ kind: 'close' } satisfies ToWriter);
    await exited;
  }

  #start(): Worker {
    const worker = new Worker(this.#workerUrl, { workerData: { path: this.#path } satisfies WriterStart });
    worker.unref();
    worker.on('message', (message: FromWriter) => {
      if (message.batch !== this.#waiting?.batch) return;
      if (message.kind === 'committed') return this.#settle(worker, null);
      const error = new Error(message.message);
      this.#settle(
        worker,
        Object.assign(error, { name: message.name }, message.code === '' ? {} : { code: message.code }),
      );
    });
    const died = (error: Error): void => {
      if (this.#worker === worker) this.#worker = null;
      this.#settle(worker, error);
    };
    worker.on('error', (error) => died(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => died(new Error(`the thread that writes it ended with code ${code}`)));
    return worker;
  }

  #settle(worker: Worker, error: Error | null): void {
    worker.unref();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (error === null) waiting?.resolve();
    else waiting?.reject(error);
  }
}

interface Part {
  readonly statements: readonly FreeStatement[];
  readonly tables: readonly TableChanges[];
  readonly last: boolean;
}

/** Cuts a batch into parts of at most `ROWS_PER_PART` rows; there is always at least one part. */
function* partsOf(batch: Batch): Generator<Part> {
  let statements = batch.statements;
  let tables: TableChanges[] = [];
  let room = ROWS_PER_PART;
  for (const { shape, upserts, deletes } of batch.tables) {
    for (let done = 0; done < upserts.length + deletes.length;) {
      if (room === 0) {
        yield { statements, tables, last: false };
        statements = [];
        tables = [];
        room = ROWS_PER_PART;
      }
      const fromUpserts = upserts.slice(done, done + room);
      const doneDeletes = Math.max(0, done - upserts.length);
      const fromDeletes = deletes.slice(doneDeletes, doneDeletes + room - fromUpserts.length);
      tables.push({ shape, upserts: fromUpserts, deletes: fromDeletes });
      done += fromUpserts.length + fromDeletes.length;
      room -= fromUpserts.length + fromDeletes.length;
    }
  }
  yield { statements, tables, last: true };
}
