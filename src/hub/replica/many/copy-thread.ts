/**
 * Entry of a thread that copies many files with synchronous calls. Runs from source and as a bundle of its own.
 */
import { parentPort } from 'node:worker_threads';
import { CopyBuffers } from './bytes-now.ts';
import { createFiles } from './create-files.ts';
import { fetchFiles } from './fetch-files.ts';
import type { FromCopyThread, ToCopyThread } from './messages.ts';

const port = parentPort;
if (port === null) throw new Error('copy-thread has to be started as a worker thread');

const buffers = new CopyBuffers();

port.on('message', (job: ToCopyThread) => {
  if (job === 'end') return port.close();
  const { number } = job;
  const answer: FromCopyThread =
    job.kind === 'create'
      ? { number, kind: 'created', files: createFiles(job, buffers) }
      : { number, kind: 'fetched', files: fetchFiles(job, buffers) };
  port.postMessage(answer);
});
