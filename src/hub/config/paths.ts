import { createHash } from 'node:crypto';
import { posix, win32 } from 'node:path';
import { expandHome } from './expand-home.ts';

/** What the places are worked out from. Nothing here looks at the disk. */
export interface PathInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As `process.platform`. */
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** As `os.tmpdir()`. */
  readonly tmp: string;
  /** Number of the user, '' where there is none (Windows). */
  readonly uid: string;
  /** Folder that relative paths are meant from. */
  readonly cwd: string;
  /** `--config`, `--data-dir`, `--socket`; they win over the environment. */
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly socket?: string | undefined;
}

/** Where the hub keeps things. All paths absolute. */
export interface HubPaths {
  readonly configFile: string;
  /** Whether the user named the file: then it has to exist; else the embedded default stands in. */
  readonly configFileNamed: boolean;
  readonly dataDir: string;
  /** Unix socket, at most 103 bytes, or named pipe on Windows. */
  readonly socket: string;
  /** Private folder (0700, ours) that the socket lies in; `null` for a named pipe. */
  readonly socketFolder: string | null;
  /** `hub.json`: pid, socket and version of the hub that runs on this data folder. */
  readonly hubFile: string;
  readonly logFile: string;
}

/** Longest socket path that every system takes (macOS: 104 bytes with the closing NUL). */
export const MAX_SOCKET_BYTES = 103;

/**
 * Places by the XDG rules (on Windows below %APPDATA% and %LOCALAPPDATA%), each with an option and an environment variable:
 * `CLAUDE_SYNC_CONFIG`, `CLAUDE_SYNC_DATA_DIR`, `CLAUDE_SYNC_SOCKET`.
 *
 * The socket's name is made from the data folder, so that hubs with different data never meet, and clients find it in `hub.json`.
 * @throws {SocketPathTooLong} when a socket path that the user named does not fit.
 */
export function hubPaths(input: PathInput): HubPaths {
  const path = input.platform === 'win32' ? win32 : posix;
  const absolute = (name: string): string => path.resolve(input.cwd, expandHome(name, input.home));
  const namedConfig = input.config ?? nonEmpty(input.env['CLAUDE_SYNC_CONFIG']);
  const namedData = input.dataDir ?? nonEmpty(input.env['CLAUDE_SYNC_DATA_DIR']);
  const namedSocket = input.socket ?? nonEmpty(input.env['CLAUDE_SYNC_SOCKET']);
  const dataDir = namedData === undefined ? path.join(base(input, 'state'), 'claude-sync') : absolute(namedData);
  const socket = namedSocket === undefined ? defaultSocket(input, dataDir) : fitting(input, absolute, namedSocket);
  return {
    configFile:
      namedConfig === undefined
        ? path.join(base(input, 'config'), 'claude-sync', 'config.jsonc')
        : absolute(namedConfig),
    configFileNamed: namedConfig !== undefined,
    dataDir,
    socket,
    socketFolder: isPipe(socket) ? null : path.dirname(socket),
    hubFile: path.join(dataDir, 'hub.json'),
    logFile: path.join(dataDir, 'logs', 'hub.log'),
  };
}

function base(input: PathInput, kind: 'config' | 'state'): string {
  const path = input.platform === 'win32' ? win32 : posix;
  const xdg = input.env[kind === 'config' ? 'XDG_CONFIG_HOME' : 'XDG_STATE_HOME'];
  // The XDG rules: a relative value is invalid and to be ignored.
  if (xdg !== undefined && path.isAbsolute(xdg)) return xdg;
  if (input.platform === 'win32') {
    const [variable, folder] = kind === 'config' ? ['APPDATA', 'Roaming'] : ['LOCALAPPDATA', 'Local'];
    return nonEmpty(input.env[variable]) ?? path.join(input.home, 'AppData', folder);
  }
  return kind === 'config' ? path.join(input.home, '.config') : path.join(input.home, '.local', 'state');
}

/** The first of these that fits: run-time folder of the user, temp folder, /tmp; in a folder of our own each time. */
function defaultSocket(input: PathInput, dataDir: string): string {
  const id = createHash('sha256').update(`${input.uid}\0${dataDir}`).digest('hex').slice(0, 16);
  if (input.platform === 'win32') return `\\\\.\\pipe\\claude-sync-${id}`;
  const runtime = input.env['XDG_RUNTIME_DIR'];
  const candidates = [
    ...(runtime !== undefined && posix.isAbsolute(runtime) ? [posix.join(runtime, 'claude-sync', `${id}.sock`)] : []),
    posix.join(input.tmp, `claude-sync-${id}`, 'hub.sock'),
  ];
  return candidates.find(fits) ?? posix.join('/tmp', `claude-sync-${id}`, 'hub.sock');
}

function fitting(input: PathInput, absolute: (name: string) => string, named: string): string {
  if (isPipe(named)) return named;
  const socket = absolute(named);
  if (input.platform !== 'win32' && !fits(socket)) throw new SocketPathTooLong(socket);
  return socket;
}

function fits(socket: string): boolean {
  return Buffer.byteLength(socket) <= MAX_SOCKET_BYTES;
}

function isPipe(socket: string): boolean {
  return socket.startsWith('\\\\.\\pipe\\') || socket.startsWith('\\\\?\\pipe\\');
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** A socket path that the system would cut off or refuse. Nothing was started. */
export class SocketPathTooLong extends Error {
  readonly socket: string;

  constructor(socket: string) {
    super(
      `the socket path is ${Buffer.byteLength(socket)} bytes long, ${MAX_SOCKET_BYTES} is the most that works: ${socket}. ` +
        'Name a shorter one with --socket or CLAUDE_SYNC_SOCKET.',
    );
    this.name = 'SocketPathTooLong';
    this.socket = socket;
  }
}
