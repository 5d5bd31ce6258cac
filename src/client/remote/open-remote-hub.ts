import type { Duplex } from 'node:stream';
import type { FileSystem } from '../../hub/ports/file-system.ts';
import { systemClock } from '../../hub/ports/system.ts';
import type { HubFile } from '../../hub/rpc/hub-file.ts';
import { serverText } from '../../hub/ssh/failures.ts';
import { SftpChannel } from '../../hub/ssh/sftp-channel.ts';
import { createSftpFileSystem } from '../../hub/ssh/sftp-file-system.ts';
import { HubError } from '../../protocol/errors.ts';
import { ChannelStream } from './channel-stream.ts';
import { dataDirsThere, readHubFileThere } from './find-hub-there.ts';
import { noHubThere, whyNoAnswer } from './no-answer.ts';
import { outcomeOf, type RemoteOutcome } from './outcome.ts';
import { signInThere, type SignInOptions } from './sign-in-there.ts';
import type { SshLink } from './ssh-link.ts';

/** Where the hub is. */
export interface RemoteHubOptions extends SignInOptions {
  /** Data folder of the hub there; `~` and relative ones from the home folder there. `null`: looked for. */
  readonly dataDir: string | null;
}

/** A way to a hub on another machine. */
export interface RemoteHub {
  /**
   * Leads to the hub's socket. It closes when the SSH connection or the hub ends, and destroying it ends the SSH connection. Emits no
   * errors.
   */
  readonly stream: Duplex;
  /** `user@host:port` of the machine. */
  readonly server: string;
  /** As the hub.json there says, and fit to be shown. */
  readonly socket: string;
  readonly dataDir: string;
}

/**
 * Opens a way to the socket of a hub on another machine; nothing is said to the hub yet. The socket is never guessed: its hub.json names it.
 * Failures: `invalid-params` (host or data folder make no sense), `unreachable` (no SSH connection), `refused` (a host key, or an sshd that
 * forbids it), `not-running`, `cancelled`.
 */
export function openRemoteHub(options: RemoteHubOptions): Promise<RemoteOutcome<RemoteHub>> {
  const { signal } = options;
  return outcomeOf(signal, async () => {
    checkDataDir(options.dataDir);
    const link = await signInThere(options);
    const giveUp = (): void => link.connection.close();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      signal?.throwIfAborted();
      return await findAndOpen(link, options.dataDir);
    } catch (error) {
      link.connection.close();
      throw error;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  });
}

/**
 * A folder that cannot be one: control characters are never put into commands and messages.
 * @throws {HubError} `invalid-params`.
 */
export function checkDataDir(dataDir: string | null): void {
  if (dataDir === null || (dataDir !== '' && !/\p{Cc}/u.test(dataDir))) return;
  throw new HubError('invalid-params', `${JSON.stringify(dataDir.slice(0, 80))} is no data folder of a hub`, {
    unchanged: 'Nothing was changed.',
    next: 'Correct it, or leave it out: then the hub is looked for.',
  });
}

/** The first hub that answers: a hub.json that outlived its hub must not hide one that runs. */
async function findAndOpen(link: SshLink, named: string | null): Promise<RemoteHub> {
  const { connection, server } = link;
  // Before any command: some servers allow one channel of this kind at a time, and this is the one that is needed.
  const sftp = await connection.openSftp();
  const moved = (): number => connection.bytes.sent + connection.bytes.received;
  const channel = new SftpChannel({ sftp, clock: systemClock, moved, onLost: () => connection.close() });
  const files = createSftpFileSystem({ channel: () => channel, root: '/', os: 'linux', bandwidth: null });
  const home = await channel.request<string>('realPath', '.', (session, done) => session.realpath('.', done));
  if (/^\/?[A-Za-z]:/.test(home)) throw onWindows(server);
  const looked = await dataDirsThere(link, home, named);
  let failure: HubError | null = null;
  for (const dataDir of looked) {
    const hub = await readHubFileThere(files, dataDir);
    if (hub === null) continue;
    const opened = await openOne(link, files, hub);
    if (!HubError.is(opened)) {
      channel.close();
      return opened;
    }
    // A hub that lives and cannot be reached says more than one that is gone.
    if (failure === null || (failure.code === 'not-running' && opened.code !== 'not-running')) failure = opened;
  }
  throw failure ?? noHubThere(server, looked.map(serverText));
}

async function openOne(link: SshLink, files: FileSystem, hub: HubFile): Promise<RemoteHub | HubError> {
  if (!hub.socket.startsWith('/') || hub.socket.includes('\0'))
    return new HubError('refused', `the hub.json in ${serverText(hub.dataDir)} on ${link.server} names no socket`);
  try {
    const channel = await link.openSocket(hub.socket);
    const stream = new ChannelStream(channel, link.connection);
    return { stream, server: link.server, socket: serverText(hub.socket), dataDir: serverText(hub.dataDir) };
  } catch (error) {
    return whyNoAnswer(link, files, hub, error);
  }
}

function onWindows(server: string): HubError {
  return new HubError('refused', `${server} is a Windows machine: its hub listens on a named pipe`, {
    unchanged: 'Nothing was changed, here or there.',
    next: 'SSH leads to Unix sockets only. Use the hub from that machine itself, or run it on Linux or macOS.',
  });
}
