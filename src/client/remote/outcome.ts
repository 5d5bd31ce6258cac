import { asHubError } from '../../hub/probe/open-for-user.ts';
import { HubError, type ErrorData } from '../../protocol/errors.ts';

/**
 * What came of a task, as plain data: this room is a bundle of its own, and a `HubError` of one bundle is none to the `instanceof` of
 * another.
 */
export type RemoteOutcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: ErrorData };

/**
 * Carries out `task`, with every failure that a user can meet as data: `cancelled` when `signal` aborted, whatever else went wrong then.
 * @throws anything else as it is: our own mistakes, and what a function of the caller's threw.
 */
export async function outcomeOf<T>(signal: AbortSignal | undefined, task: () => Promise<T>): Promise<RemoteOutcome<T>> {
  try {
    return { ok: true, value: await task() };
  } catch (error) {
    const cancelled = (): HubError =>
      new HubError('cancelled', 'connecting to the hub was cancelled', { unchanged: 'Nothing was changed there.' });
    const failure = signal?.aborted === true ? cancelled() : asHubError(error);
    if (HubError.is(failure)) return { ok: false, failure: failure.toData() };
    throw failure;
  }
}
