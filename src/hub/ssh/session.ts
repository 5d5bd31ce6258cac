import type { MachineOs } from '../../core/domain.ts';
import { expandHome } from '../config/expand-home.ts';
import type { SshMachineConfig } from '../config/schema.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { connectSsh } from './connect.ts';
import type { SshConnection } from './connection.ts';
import { drivePath, wirePath } from './drive-path.ts';
import { probePosix, type PosixMachine } from './posix-probe.ts';
import { createRemoteCommands, type RemoteCommands } from './remote-commands.ts';
import { resolveSshSettings, type SshSettings } from './settings.ts';
import { SftpChannel } from './sftp-channel.ts';
import { createSftpFileSystem } from './sftp-file-system.ts';

/** What a connection found out about its machine. A tree is built for it, and built anew when it is another. */
export interface MachineFacts {
  readonly os: MachineOs;
  /** Absolute, `/`-separated; a drive without a slash before it. */
  readonly home: string;
  /** As `home`, symlinks resolved; as it is configured where there is nothing. */
  readonly claudeDir: string;
  /** Folder that SFTP begins in, as SFTP writes it. */
  readonly start: string;
  /** Most bytes of one write. */
  readonly maxWrite: number;
}

/** One connection to a machine, with what it takes to work there. */
export interface SshSession {
  readonly settings: SshSettings;
  readonly connection: SshConnection;
  readonly channel: SftpChannel;
  /** Commands of a POSIX shell. */
  readonly commands: RemoteCommands;
  /** What is installed there; `null` where no shell answers. */
  readonly probe: PosixMachine | null;
  readonly facts: MachineFacts;
  /** Aborted when the session is closed: what goes to the machine beside its connection (rsync) goes with it. */
  readonly end: AbortController;
}

/** What a session is opened with. */
export interface OpenSessionOptions {
  readonly config: SshMachineConfig;
  /** Home of the hub's user, for paths on the hub. */
  readonly home: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Told when the connection ends by itself, or the other side hangs; more than once perhaps. */
  readonly onLost: (reason: Error) => void;
  /** Told what is done, in this order, each when it is; `shell` also where none answers. */
  readonly onStep?: (done: 'resolve' | 'connect' | 'sftp' | 'shell') => void;
  /** Aborting gives up, as long as the session is not open. Its reason is what is thrown then, or that the connection is gone. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a machine and asks it what it is.
 * @throws {SshFailure} what kept the connection from being made. @throws {FileSystemError} it ended meanwhile.
 */
export async function openSession(options: OpenSessionOptions): Promise<SshSession> {
  const { config, clock, random, onLost, onStep, signal } = options;
  const settings = await resolveSshSettings(config, { home: options.home });
  onStep?.('resolve');
  // Of a machine that is polled the same listings come again and again.
  const isPolled = config.watch === 'poll' || config.os === 'windows';
  const connection = await connectSsh(settings, {
    clock,
    ...(isPolled ? { compress: true } : {}),
    ...(signal === undefined ? {} : { signal }),
  });
  onStep?.('connect');
  const giveUp = (): void => connection.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    connection.onLost(onLost);
    const sftp = await connection.openSftp();
    const moved = (): number => connection.bytes.sent + connection.bytes.received;
    const channel = new SftpChannel({ sftp, clock, moved, onLost });
    const commands = createRemoteCommands(connection, { clock, random });
    const start = await startOf(channel);
    const home = config.home ?? drivePath(start);
    onStep?.('sftp');
    const isWindows = config.os === 'windows' || (config.os === undefined && /^[A-Za-z]:/.test(home));
    const probe = isWindows ? null : await probePosix(commands);
    onStep?.('shell');
    const os = isWindows ? 'windows' : (config.os ?? (probe?.system === 'darwin' ? 'macos' : 'linux'));
    const outside = createSftpFileSystem({ channel: () => channel, root: '/', os, bandwidth: null });
    const claudeDir = await resolved(outside, expandHome(config.claudeDir, home));
    return {
      settings,
      connection,
      channel,
      commands,
      probe,
      facts: { os, home, claudeDir, start, maxWrite: channel.maxWrite },
      end: new AbortController(),
    };
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
}

/** Ends what was opened. */
export function closeSession({ channel, connection, end }: SshSession): void {
  end.abort();
  channel.close();
  connection.close();
}

/** The folder that SFTP begins in: the user's home. */
function startOf(channel: SftpChannel): Promise<string> {
  return channel.request<string>('realPath', '.', (sftp, done) => sftp.realpath('.', done));
}

/** claudeDir may itself be a link: it is resolved once; nothing below it is followed. */
async function resolved(outside: FileSystem, claudeDir: string): Promise<string> {
  const real = await outside.realPath(wirePath(claudeDir).slice(1));
  return real === null ? claudeDir : drivePath(real);
}
