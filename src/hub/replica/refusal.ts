import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystemErrorCode } from '../ports/file-system.ts';
import type { RefusalCode, WriteOutcome } from './replica.ts';

/** Outcome of a write that found another file than it expected. */
export const CHANGED: WriteOutcome = { kind: 'changed' };

/** Outcome of a write that the machine cannot take; `reason` is a sentence for the user. */
export function refused(code: RefusalCode, reason: string): WriteOutcome {
  return { kind: 'refused', code, reason };
}

const REFUSALS: Readonly<Partial<Record<FileSystemErrorCode, readonly [RefusalCode, string]>>> = {
  'no-space': ['no-space', 'the disk is full or the quota is used up'],
  denied: ['denied', 'the file system does not permit it'],
  busy: ['busy', 'another program has the file open'],
  'name-too-long': ['unsafe-path', 'the name is too long for this file system'],
  'not-a-file': ['unsafe-path', 'it is no regular file'],
  unsupported: ['io', 'the file system cannot do it'],
  io: ['io', 'the file system failed'],
};

/**
 * What a failed file operation means for a guarded write that has changed nothing so far.
 * `missing`, `exists` and `not-empty` are how a file system says that somebody else was faster.
 * @throws whatever is no failure of a file operation, and `disconnected`, whose outcome is unknown.
 */
export function outcomeOfFailure(error: unknown): WriteOutcome {
  if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
  const refusal = REFUSALS[error.code];
  return refusal === undefined ? CHANGED : refused(refusal[0], `${refusal[1]} (${error.message})`);
}

/** Waits for all, then gives the values; the first failure in order counts. Nothing is left running behind a failure. */
export async function allInOrder<T extends readonly unknown[]>(running: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const settled = await Promise.allSettled(running);
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return settled.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
