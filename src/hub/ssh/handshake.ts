import { Client } from 'ssh2';
import type { CipherAlgorithm, NegotiatedAlgorithms, ServerHostKeyAlgorithm } from 'ssh2';
import { HostKeyFailure, serverName, serverText, unreachable } from './failures.ts';
import type { Identities } from './identities.ts';
import { fingerprint, judgeHostKey, offeredKey } from './known-hosts.ts';
import type { KnownHost } from './known-hosts.ts';
import type { Route } from './route.ts';
import type { SshSettings } from './settings.ts';
import { endSilently, useKeyObjects } from './packets.ts';
import { SignIn } from './sign-in.ts';

/** How a silent connection is noticed. */
export interface Keepalive {
  /** A question is sent every so often, ms. */
  readonly everyMs: number;
  /** So many may be without an answer. */
  readonly count: number;
}

/** What a handshake works with. */
export interface HandshakeOptions {
  readonly settings: SshSettings;
  readonly route: Route;
  readonly known: KnownHost;
  readonly identities: Identities;
  readonly keepalive: Keepalive;
  /** Whether what is sent is compressed, where the server does that. */
  readonly compress: boolean;
  /** Aborting gives up; the promise rejects with its reason. */
  readonly signal: AbortSignal;
  /** Told what is being waited for, for the message of a timeout. */
  readonly onPhase: (phase: string) => void;
}

/** A server that let us in. */
export interface SignedIn {
  readonly client: Client;
  readonly negotiated: NegotiatedAlgorithms;
  /** `SHA256:...` of the host key. */
  readonly hostKey: string;
}

/** AES-GCM is three times as fast as the others on processors that have AES, and OpenSSH has had it since 2013. */
const CIPHERS: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];

/** Without SHA-1 (`ssh-rsa`), which OpenSSH does not accept by itself either. */
const HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
/** Accepted where ssh_config asks for it. */
const OLD_HOST_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = ['ssh-rsa', 'ssh-dss'];

/**
 * Speaks SSH over a route until the server let us in. The host key is judged in the key exchange: a server with a wrong one never
 * learns a user name or a key.
 *
 * @throws SshFailure `host-key-*`, `key-*`, `no-key`, `unreachable`.
 */
export function handshake(options: HandshakeOptions): Promise<SignedIn> {
  const { settings, route, known, identities, keepalive, compress, signal, onPhase } = options;
  const server = serverName(settings);
  const client = new Client();
  const signIn = new SignIn(settings.user, identities);

  return new Promise((resolve, reject) => {
    let negotiated: NegotiatedAlgorithms | null = null;
    let hostKey = '';
    let hostKeyFailure: HostKeyFailure | null = null;
    let isReady = false;

    const fail = (failure: Error): void => {
      signal.removeEventListener('abort', onAbort);
      reject(failure);
      route.end();
    };
    const onAbort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });

    // It stays for the life of the client: ssh2 tells some errors late, and one without a listener would end the process.
    client.on('error', (error) => {
      if (isReady) return;
      if (hostKeyFailure !== null) return fail(hostKeyFailure);
      // The agent refused to sign, or is gone: ssh2 goes on with the next key.
      if (String(error.level) === 'agent') return signIn.hear(`agent: ${serverText(error.message)}`);
      if (negotiated !== null) {
        if (error.level !== 'client-authentication') signIn.hear(serverText(error.message));
        if (error.level !== 'client-socket') return fail(signIn.failure(server));
      }
      fail(noHandshake(server, route, error.message, error));
    });
    client.once('close', () => {
      if (!isReady) fail(noHandshake(server, route, 'the connection ended before the server let us in'));
    });
    client.on('banner', (text) => signIn.hear(serverText(text)));
    client.on('handshake', () => {
      useKeyObjects(client);
      endSilently(client);
    });
    client.once('handshake', (algorithms) => {
      negotiated = algorithms;
      onPhase('signing in');
    });
    client.once('ready', () => {
      isReady = true;
      endSilently(client);
      signal.removeEventListener('abort', onAbort);
      route.sendAtOnce();
      if (negotiated !== null) resolve({ client, negotiated, hostKey });
    });

    // An end before ssh2 listens is one that it would wait for.
    if (route.stream.destroyed || route.stream.readableEnded) {
      fail(noHandshake(server, route, 'the connection ended before anything was said'));
      return;
    }
    onPhase('waiting for it to speak SSH');
    try {
      client.connect({
        sock: route.stream,
        username: settings.user,
        // The deadline is one for everything, `signal`.
        readyTimeout: 0,
        keepaliveInterval: keepalive.everyMs,
        keepaliveCountMax: keepalive.count,
        algorithms: {
          cipher: [...CIPHERS],
          serverHostKey: hostKeyAlgorithms(settings, known),
          compress: compress ? ['zlib@openssh.com', 'none'] : ['none'],
        },
        hostVerifier: (blob: Buffer): boolean => {
          const offered = offeredKey(blob);
          hostKey = fingerprint(blob);
          const verdict = judgeHostKey(known, offered);
          if (verdict === 'known') return true;
          hostKeyFailure = new HostKeyFailure(verdict, {
            ...offered,
            server,
            name: known.name,
            fingerprint: hostKey,
            files: known.files,
            knownTypes: [...new Set(known.keys.map(({ type }) => type))],
          });
          return false;
        },
        // ssh2 takes `false` for "nothing left"; its types do not say so.
        authHandler: ((waysLeft: never, partial: boolean) => signIn.next(waysLeft, partial)) as never,
      });
    } catch (error) {
      fail(noHandshake(server, route, error instanceof Error ? error.message : String(error), error));
    }
  });
}

/** As OpenSSH does it: what the server is known by comes first, so that of its several keys it offers the one that can be judged. */
function hostKeyAlgorithms(settings: SshSettings, known: KnownHost): ServerHostKeyAlgorithm[] {
  const wanted = settings.hostKeyAlgorithms;
  const possible: readonly string[] = [...HOST_KEY_ALGORITHMS, ...OLD_HOST_KEY_ALGORITHMS];
  const accepted = (wanted ?? []).filter((name) => possible.includes(name)) as ServerHostKeyAlgorithm[];
  const all = accepted.length === 0 ? [...HOST_KEY_ALGORITHMS] : accepted;
  const isKnown = (algorithm: string): boolean => {
    const keyType = algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm;
    return known.keys.some(({ type }) => type === keyType);
  };
  return [...all.filter(isKnown), ...all.filter((algorithm) => !isKnown(algorithm))];
}

function noHandshake(server: string, route: Route, why: string, cause?: unknown): Error {
  const complaint = route.complaint();
  return unreachable(
    server,
    `${serverText(why)}${complaint === '' ? '' : ` (ProxyCommand: ${complaint})`}`,
    'Check that this is the port of an SSH server, and that it accepts connections from here (firewall, MaxStartups, bans).',
    cause,
  );
}
