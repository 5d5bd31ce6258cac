import type { Clock } from '../ports/clock.ts';
import { systemClock } from '../ports/system.ts';
import { EstablishedConnection } from './established.ts';
import { serverName, unreachable } from './failures.ts';
import { handshake } from './handshake.ts';
import type { Keepalive } from './handshake.ts';
import { findIdentities } from './identities.ts';
import { knownHostKeys } from './known-hosts.ts';
import { commandRoute, directRoute } from './route.ts';
import type { Route } from './route.ts';
import type { SshSettings } from './settings.ts';

/** How a connection is made. */
export interface ConnectOptions {
  /** Default: the computer's. */
  readonly clock?: Clock;
  /** Aborting gives up the attempt, with the reason of the signal. It does not end a connection that was made. */
  readonly signal?: AbortSignal;
  /** For everything until the server let us in, all jump hosts together, ms. Default: ConnectTimeout of ssh_config, else 15 s. */
  readonly timeoutMs?: number;
  /** Default: every 10 s, 3 times. */
  readonly keepalive?: Keepalive;
  /**
   * Whether what is sent is compressed. It takes time for every byte, and is worth it where the same is asked again and again. Default: as
   * ssh_config says.
   */
  readonly compress?: boolean;
  /** Environment of a ProxyCommand. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

const CONNECT_TIMEOUT_MS = 15_000;
const KEEPALIVE: Keepalive = { everyMs: 10_000, count: 3 };

/**
 * Connects to a server and signs in. Whatever was begun is ended when it fails.
 *
 * @throws SshFailure with what kept it from being made; the reason of `signal` when that aborts.
 */
export async function connectSsh(settings: SshSettings, options: ConnectOptions = {}): Promise<EstablishedConnection> {
  const { clock = systemClock, signal, timeoutMs = settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS } = options;
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort(signal?.reason);
  if (signal?.aborted === true) giveUp();
  signal?.addEventListener('abort', giveUp, { once: true });

  let phase = 'connecting';
  const cancel = clock.after(timeoutMs, () => {
    attempt.abort(
      unreachable(
        serverName(settings),
        `no connection within ${timeoutMs / 1000} s (${phase})`,
        'Check that the machine is on, and that it is an SSH server that answers at this port.',
      ),
    );
  });
  try {
    return await make(settings, { ...options, clock }, attempt.signal, (now) => {
      phase = now;
    });
  } finally {
    cancel();
    signal?.removeEventListener('abort', giveUp);
  }
}

async function make(
  settings: SshSettings,
  options: ConnectOptions & { readonly clock: Clock },
  signal: AbortSignal,
  onPhase: (phase: string) => void,
): Promise<EstablishedConnection> {
  const { hostname, port, hostKeyAlias, knownHostsFiles } = settings;
  const server = serverName(settings);
  // Together: the way there takes longer than the looks into files.
  const [routed, known, identities] = await Promise.allSettled([
    routeTo(settings, options, signal, onPhase),
    orAbort(knownHostKeys(hostname, port, hostKeyAlias, knownHostsFiles), signal),
    orAbort(findIdentities(settings), signal),
  ]);
  if (routed.status === 'rejected') throw routed.reason;
  const route = routed.value;
  try {
    if (known.status === 'rejected') throw known.reason;
    if (identities.status === 'rejected') throw identities.reason;
    signal.throwIfAborted();
    const signedIn = await handshake({
      settings,
      route,
      signal,
      known: known.value,
      identities: identities.value,
      keepalive: options.keepalive ?? KEEPALIVE,
      compress: options.compress ?? settings.compress,
      onPhase: (phase) => onPhase(`${phase}: ${server}`),
    });
    return new EstablishedConnection(settings, signedIn, route, options.clock);
  } catch (error) {
    route.end();
    throw error;
  }
}

async function routeTo(
  settings: SshSettings,
  options: ConnectOptions & { readonly clock: Clock },
  signal: AbortSignal,
  onPhase: (phase: string) => void,
): Promise<Route> {
  const { via } = settings;
  if (via.kind === 'command') return commandRoute(via.command, options.env ?? process.env);
  if (via.kind === 'direct') return directRoute(settings, signal);
  const hop = await make(via.through, options, signal, onPhase);
  try {
    onPhase(`connecting from ${serverName(via.through)} on to ${serverName(settings)}`);
    const stream = await orAbort(hop.forward(settings.hostname, settings.port), signal);
    let reason = '';
    hop.onLost((error) => {
      reason = error.message;
    });
    return {
      stream,
      bytes: () => hop.bytes,
      sendAtOnce: () => undefined,
      complaint: () => reason,
      end: () => {
        stream.destroy();
        hop.close();
      },
    };
  } catch (error) {
    hop.close();
    throw error;
  }
}

/** What `work` comes to, or the reason of `signal` when that aborts before. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
