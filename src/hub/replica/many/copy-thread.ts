/**
 * Entry of a thread that copies many files with synchronous calls. Runs from source and as a bundle of its own.
 */
import { parentPort } from 'node:worker_threads';
import type { RelativePath } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { listNow } from '../node-file-system.ts';
import type { FolderListing } from '../scan.ts';
import { packListing } from './packed-listing.ts';
import { CopyBuffers } from './bytes-now.ts';
import { createFiles } from './create-files.ts';
import { fetchFiles } from './fetch-files.ts';
import { lookOf } from '../safe-walk.ts';
import type { FromCopyThread, ToCopyThread } from './messages.ts';
import { walkNow } from './walk-now.ts';

const port = parentPort;
if (port === null) throw new Error('copy-thread has to be started as a worker thread');

const buffers = new CopyBuffers();

port.on('message', (job: ToCopyThread) => {
  if (job === 'end') return port.close();
  port.postMessage(answer(job));
});

function answer(job: Exclude<ToCopyThread, 'end'>): FromCopyThread {
  const { number } = job;
  switch (job.kind) {
    case 'create':
      return { number, kind: 'created', files: createFiles(job, buffers) };
    case 'fetch':
      return { number, kind: 'fetched', files: fetchFiles(job, buffers) };
    case 'look':
      return { number, kind: 'seen', files: job.files.map((path) => lookOf(path, walkNow(job.root, path))) };
    case 'list':
      return { number, kind: 'listed', folders: job.folders.map((folder) => packListing(listing(job.root, folder))) };
  }
}

function listing(root: string, folder: RelativePath): FolderListing {
  try {
    return listNow(folder === '' ? root : `${root}/${folder}`, folder);
  } catch (error) {
    if (FileSystemError.is(error)) return error;
    throw error;
  }
}
