import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { sendTogether } from './packets.ts';
import { serverName, serverText, unreachable } from './failures.ts';
import type { SshSettings } from './settings.ts';

/** Bytes in both directions. */
export interface ByteCount {
  readonly sent: number;
  readonly received: number;
}

/** The bytes between here and a server, whatever carries them. */
export interface Route {
  readonly stream: Duplex;
  /** Bytes since the beginning, as the outermost socket counts them: through a jump host those of the connection to it. */
  bytes(): ByteCount;
  /** Packets leave at once instead of waiting for more (Nagle): 0.6 ms instead of 43 ms a request. */
  sendAtOnce(): void;
  /** What the way itself has to say of a failure; empty when nothing. */
  complaint(): string;
  /** Gives up everything that carries the bytes. Idempotent. */
  end(): void;
}

/** An address of several is left for the next one after this time. Node's own 250 ms are too short for far-away machines. */
const NEXT_ADDRESS_MS = 3000;
const COMPLAINT_CHARACTERS = 2000;

/**
 * A TCP connection.
 * @throws SshFailure `unreachable`; the reason of `signal` when that aborts before.
 */
export async function directRoute(settings: SshSettings, signal: AbortSignal): Promise<Route> {
  signal.throwIfAborted();
  const socket = connect({
    host: settings.hostname,
    port: settings.port,
    family: settings.family,
    noDelay: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
  });
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    // The listener stays: a late error of a socket that was given up has nobody else.
    socket.on('error', (error) => reject(noConnection(settings, error)));
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
  sendTogether(socket);
  return {
    stream: socket,
    bytes: () => ({ sent: socket.bytesWritten, received: socket.bytesRead }),
    sendAtOnce: () => socket.setNoDelay(true),
    complaint: () => '',
    end: () => socket.destroy(),
  };
}

/**
 * The input and output of a command (ProxyCommand), run by the user's shell as ssh runs it. It ends with the connection.
 * What it prints as errors is kept for the case that the connection is not made.
 */
export function commandRoute(command: string, env: NodeJS.ProcessEnv): Route {
  const isWindows = process.platform === 'win32';
  // `exec`: the command itself is the child, so that ending the child ends the command.
  const child = execa(isWindows ? command : `exec ${command}`, {
    shell: isWindows ? true : (env['SHELL'] ?? '/bin/sh'),
    env,
    extendEnv: false,
    reject: false,
    buffer: false,
    encoding: 'buffer',
    windowsHide: true,
  });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    complaint = `${complaint}${bytes.toString('utf8')}`.slice(-COMPLAINT_CHARACTERS);
  });
  const stream = child.duplex();
  // ssh2 listens while it uses the stream. What comes before or after tells nothing that its end does not.
  stream.on('error', (error) => {
    complaint ||= error.message;
  });
  // Pipes of a child are sockets in Node, and count.
  const input = child.stdin as Writable & Pick<Socket, 'bytesWritten'>;
  const output = child.stdout as Readable & Pick<Socket, 'bytesRead'>;
  return {
    stream,
    bytes: () => ({ sent: input.bytesWritten, received: output.bytesRead }),
    sendAtOnce: () => undefined,
    complaint: () => serverText(complaint),
    end: () => {
      stream.destroy();
      child.kill();
    },
  };
}

function noConnection(settings: SshSettings, error: NodeJS.ErrnoException): Error {
  const server = serverName(settings);
  const { hostname, port } = settings;
  const causes = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [error];
  const why = [...new Set(causes.map((cause) => cause.message))].join('; ');
  const codes = causes.map(({ code }) => code);
  if (codes.some((code) => code === 'ENOTFOUND' || code === 'EAI_AGAIN'))
    return unreachable(
      server,
      `the name ${hostname} is not known (${why})`,
      'Check the host of this machine in the configuration, and that this computer is online.',
      error,
    );
  if (codes.includes('ECONNREFUSED'))
    return unreachable(
      server,
      `nothing listens there (${why})`,
      `Check that the SSH server is on, and that ${port} is its port.`,
      error,
    );
  return unreachable(server, why, 'Check that the machine is on and in the same network or VPN.', error);
}
