import type { ClientChannel } from 'ssh2';
import { systemClock } from '../../hub/ports/system.ts';
import { connectSsh } from '../../hub/ssh/connect.ts';
import { EstablishedConnection } from '../../hub/ssh/established.ts';
import { serverName, unreachable } from '../../hub/ssh/failures.ts';
import { handshake } from '../../hub/ssh/handshake.ts';
import { findIdentities } from '../../hub/ssh/identities.ts';
import { knownHostKeys } from '../../hub/ssh/known-hosts.ts';
import { commandRoute, directRoute, type Route } from '../../hub/ssh/route.ts';
import type { SshSettings } from '../../hub/ssh/settings.ts';
import { unlessAborted } from './unless-aborted.ts';

/** For everything until the server let us in, ms; ConnectTimeout of ssh_config counts before. */
const CONNECT_MS = 15_000;
/** A channel that is not open by then will not be, ms. */
const OPEN_MS = 15_000;
const KEEPALIVE = { everyMs: 10_000, count: 3 };

/** A connection to a machine, and the way to a socket there. */
export interface SshLink {
  /** `user@host:port`. */
  readonly server: string;
  readonly connection: EstablishedConnection;
  /**
   * A channel to a Unix socket of the machine.
   * @throws the error of ssh2; `reason` is the number of RFC 4254 section 5.1, where the server gave one.
   */
  openSocket(path: string): Promise<ClientChannel>;
}

/**
 * As `connectSsh`, which it is made of the same parts as: channels to sockets are opened on the client that is behind a connection, and
 * `EstablishedConnection` keeps that to itself. Servers on the way are connected by `connectSsh`.
 * @throws {SshFailure} @throws the reason of `signal`.
 */
export async function connectLink(
  settings: SshSettings,
  { env, signal }: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal | undefined },
): Promise<SshLink> {
  const server = serverName(settings);
  const deadline = new AbortController();
  const timeoutMs = settings.connectTimeoutMs ?? CONNECT_MS;
  let phase = 'connecting';
  const cancel = systemClock.after(timeoutMs, () => {
    const why = `no connection within ${timeoutMs / 1000} s (${phase})`;
    const next = 'Check that the machine is on, and that it is an SSH server that answers at this port.';
    deadline.abort(unreachable(server, why, next));
  });
  const giveUp = signal === undefined ? deadline.signal : AbortSignal.any([deadline.signal, signal]);
  let route: Route | null = null;
  try {
    const { hostname, port, hostKeyAlias, knownHostsFiles } = settings;
    const [known, identities] = await unlessAborted(
      Promise.all([knownHostKeys(hostname, port, hostKeyAlias, knownHostsFiles), findIdentities(settings)]),
      giveUp,
    );
    route = await routeTo(settings, env, giveUp);
    const signedIn = await handshake({
      ...{ settings, route, known, identities, keepalive: KEEPALIVE, compress: settings.compress, signal: giveUp },
      onPhase: (now) => (phase = now),
    });
    const connection = new EstablishedConnection(settings, signedIn, route, systemClock);
    return { server, connection, openSocket: (path) => openSocket(signedIn.client, path) };
  } catch (error) {
    route?.end();
    throw error;
  } finally {
    cancel();
  }
}

async function routeTo(settings: SshSettings, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Route> {
  const { via } = settings;
  if (via.kind === 'direct') return directRoute(settings, signal);
  if (via.kind === 'command') return commandRoute(via.command, env);
  const hop = await connectSsh(via.through, { env, signal });
  let reason = '';
  hop.onLost((error) => (reason = error.message));
  try {
    const stream = await unlessAborted(hop.forward(settings.hostname, settings.port), signal);
    const end = (): void => {
      stream.destroy();
      hop.close();
    };
    return { stream, bytes: () => hop.bytes, sendAtOnce: () => undefined, complaint: () => reason, end };
  } catch (error) {
    hop.close();
    throw error;
  }
}

type Client = Awaited<ReturnType<typeof handshake>>['client'];

/** When the connection ends meanwhile ssh2 fails the request. */
function openSocket(client: Client, path: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const cancel = systemClock.after(OPEN_MS, () => {
      isLate = true;
      reject(new Error(`no answer within ${OPEN_MS / 1000} s`));
    });
    client.openssh_forwardOutStreamLocal(path, (error: Error | undefined, channel?: ClientChannel) => {
      cancel();
      // An error of a channel comes before its end, which is listened for. Without a listener it would end the process.
      channel?.on('error', () => undefined);
      if (isLate) channel?.close();
      else if (channel === undefined) reject(error ?? new Error('no channel'));
      else resolve(channel);
    });
  });
}
