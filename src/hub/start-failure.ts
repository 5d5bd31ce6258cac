import { HubError } from '../protocol/errors.ts';
import { FileSystemError } from './ports/file-system.ts';
import { saysFull } from './store/store-errors.ts';
import { StoreUnwritable } from './store/store.ts';

const UNCHANGED = 'No hub is running. What is in its data folder and on the machines is as it was.';

/**
 * Why a hub did not start, with the folder that it is about and the next step. Errors that say so themselves (a configuration, a lock,
 * a damaged database) come back as they are.
 */
export function startFailure(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || HubError.is(error)) return error;
  if (isFull(error)) {
    return new HubError(
      'io',
      `the hub cannot start: the disk of its data folder ${dataDir} is full (${error.message})`,
      {
        unchanged: UNCHANGED,
        next: `Make room on the disk that ${dataDir} is on, then: claude-sync up`,
        cause: error,
      },
    );
  }
  if (error instanceof StoreUnwritable || error instanceof FileSystemError || 'syscall' in error) {
    return new HubError('io', `the hub cannot start with its data folder ${dataDir}: ${error.message}`, {
      unchanged: UNCHANGED,
      next: `Check that you can write to ${dataDir}, or name another folder with --data-dir, then: claude-sync up`,
      cause: error,
    });
  }
  return error;
}

/** Whether a failure, or what caused it, is that no room is left. */
function isFull(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (FileSystemError.is(cause, 'no-space') || saysFull(cause)) return true;
    if (['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}
