import { HubError } from '../../protocol/errors.ts';
import { acceptHostKey } from '../ssh/accept-host-key.ts';
import { HostKeyFailure, SshFailure } from '../ssh/failures.ts';
import { closeSession, openSession, type OpenSessionOptions, type SshSession } from '../ssh/session.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { ReplicaUnreachable } from '../replica/replica.ts';

/** Longest work over one such connection, ms. */
const WITHIN_MS = 120_000;

/** What a connection for one task is made with. */
export type OpenForUserOptions = Omit<OpenSessionOptions, 'onLost'> & {
  /** Fingerprints of host keys that the user has compared. */
  readonly acceptHostKeys?: readonly string[];
};

/**
 * Connects for one task of a user, and ends the connection with it. A host key that is not known and that the user has accepted is
 * written down first, one for each server on the way.
 * @throws {HostKeyFailure} a host key that the user has not accepted. @throws {HubError} everything else that went wrong, see `asHubError`.
 */
export async function withSession<T>(
  options: OpenForUserOptions,
  task: (session: SshSession) => Promise<T>,
): Promise<T> {
  const { acceptHostKeys = [], ...open } = options;
  let lost: Error | null = null;
  const session = await connected({ ...open, onLost: (reason) => (lost ??= reason) }, acceptHostKeys);
  let cancel = (): void => undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    cancel = open.clock.after(WITHIN_MS, () =>
      reject(
        new HubError('timed-out', `${open.config.host} did not answer everything within ${WITHIN_MS / 1000} s`, {
          next: 'Try again; claude-sync machines test tells which step is slow.',
        }),
      ),
    );
  });
  try {
    return await Promise.race([task(session), tooLong]);
  } catch (error) {
    throw asHubError(lost ?? error);
  } finally {
    cancel();
    closeSession(session);
  }
}

async function connected(options: OpenSessionOptions, acceptHostKeys: readonly string[]): Promise<SshSession> {
  const accepted = new Set<string>();
  for (;;) {
    try {
      return await openSession(options);
    } catch (error) {
      if (!(error instanceof HostKeyFailure) || error.code !== 'host-key-unknown') throw asHubError(error);
      if (!acceptHostKeys.includes(error.fingerprint) || accepted.has(error.fingerprint)) throw error;
      // Never twice: a key that is written and still unknown was written to no avail.
      accepted.add(error.fingerprint);
      await acceptHostKey(error).catch((failure: unknown) => {
        throw asHubError(failure);
      });
    }
  }
}

/** A failure of SSH as it travels to clients: reason, what is unchanged, next step. Other errors stay what they are. */
export function asHubError(error: unknown): unknown {
  if (error instanceof SshFailure) {
    const isRefusal = error instanceof HostKeyFailure || error.code === 'settings';
    return new HubError(isRefusal ? 'refused' : 'unreachable', error.reason, {
      unchanged: error.unchanged,
      next: error.next,
      cause: error,
    });
  }
  if (error instanceof ReplicaUnreachable || FileSystemError.is(error, 'disconnected'))
    return new HubError('unreachable', error.message, { next: 'Try again.', cause: error });
  return error;
}
