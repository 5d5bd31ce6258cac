/**
 * Entry of the thread that runs the transactions, so that a slow disk never stops the event loop of the hub.
 * Runs from source and as a bundle of its own.
 */
import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { BatchWriter } from './batch-writer.ts';
import { sqliteCode } from './store-errors.ts';
import type { FromWriter, ToWriter, WriterStart } from './writer-messages.ts';

const { path } = workerData as WriterStart;
const port = parentPort;
if (port === null) throw new Error('writer-thread has to be started as a worker thread');

const db = new Database(path, { fileMustExist: true, timeout: 5000 });
const writer = new BatchWriter(db);
// Of a batch in parts: how it failed, until its last part has come.
let failure: Error | null = null;

port.on('message', (message: ToWriter) => {
  if (message.kind === 'close') {
    db.close();
    port.close();
    return;
  }
  if (message.first) failure = null;
  if (failure === null) {
    try {
      if (message.first) writer.begin(message.epoch, message.durable);
      writer.write(message.statements, message.tables);
      if (message.last) writer.commit();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      writer.rollback();
    }
  }
  if (message.last) port.postMessage(answer(message.batch));
});

function answer(batch: number): FromWriter {
  if (failure === null) return { kind: 'committed', batch };
  return { kind: 'failed', batch, name: failure.name, message: failure.message, code: sqliteCode(failure) };
}
