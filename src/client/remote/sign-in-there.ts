import { acceptHostKey } from '../../hub/ssh/accept-host-key.ts';
import { HostKeyFailure, showFingerprint } from '../../hub/ssh/failures.ts';
import { resolveSshSettings } from '../../hub/ssh/settings.ts';
import { HubError } from '../../protocol/errors.ts';
import type { HostKeyQuestion } from '../../protocol/probe.ts';
import { noDestination, readDestination } from '../destination.ts';
import { connectLink, type SshLink } from './ssh-link.ts';
import { unlessAborted } from './unless-aborted.ts';

/** How the machine of the hub is reached. */
export interface SignInOptions {
  /** `[user@]host[:port]` as a user writes it; the host may be an alias of ssh_config. */
  readonly host: string;
  /** Home folder of this computer's user. */
  readonly home: string;
  /** Environment of this computer's user: `PATH` finds ssh and ssh-keygen, `SSH_AUTH_SOCK` the agent. */
  readonly env: NodeJS.ProcessEnv;
  /** Instead of the user's and the system's ssh_config. */
  readonly sshConfigFile?: string;
  /**
   * Asked about a host key that is not known, for each server on the way; an accepted one is written to the known hosts. A key that has
   * changed, or is revoked, is refused without asking. What it throws is thrown on.
   */
  readonly acceptHostKey: (question: HostKeyQuestion) => Promise<boolean>;
  /** Aborting gives up. It does not end what was opened. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a machine as the user's own ssh would, with keys only.
 * @throws {HubError} `invalid-params` for a host that makes no sense, `refused` for a host key that the user does not accept.
 * @throws {SshFailure} whatever else kept the connection from being made. @throws the reason of `signal`.
 */
export async function signInThere(options: SignInOptions): Promise<SshLink> {
  const { host, home, env, sshConfigFile, signal } = options;
  const destination = readDestination(host.trim());
  if (destination === null)
    throw new HubError('invalid-params', noDestination(host), {
      unchanged: 'Nothing was changed.',
      next: 'Correct the name of the machine that the hub runs on.',
    });
  const sources = { home, env, ...(sshConfigFile === undefined ? {} : { configFile: sshConfigFile }) };
  const settings = await unlessAborted(resolveSshSettings(destination, sources), signal);
  const written = new Set<string>();
  for (;;) {
    try {
      return await connectLink(settings, { env, signal });
    } catch (error) {
      // Never twice: a key that is written and still unknown was written to no avail.
      if (!(error instanceof HostKeyFailure) || written.has(error.fingerprint)) throw error;
      await settle(error, options);
      written.add(error.fingerprint);
    }
  }
}

/** Has the user decide about a host key, and writes down the very one that was offered. */
async function settle(failure: HostKeyFailure, { acceptHostKey: ask, signal }: SignInOptions): Promise<void> {
  const { server, type, fingerprint, files } = failure.offered;
  const [file] = files;
  if (failure.code !== 'host-key-unknown' || file === undefined) throw failure;
  const question = { server, type, fingerprint, file, compareWith: showFingerprint(type) };
  if (!(await unlessAborted(ask(question), signal)))
    throw new HubError('refused', `the ${type} host key ${fingerprint} of ${server} was not accepted`, {
      unchanged: 'Nothing was changed, and nothing of you was sent to that server.',
      next: `Compare it on that machine itself (${question.compareWith}), and connect again.`,
      cause: failure,
    });
  await acceptHostKey(failure);
}
