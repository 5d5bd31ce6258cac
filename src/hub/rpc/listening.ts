import { lstat, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { RpcLog } from './rpc-log.ts';
import { isPipe, prepareSocketFolder, probeSocket, protectSocket, SocketPlaceRefused } from './socket-place.ts';

/** Most clients at a time: every VS Code window has one, a CLI call another. */
const MOST_CLIENTS = 256;

/** How often the socket file is looked at, in ms: a cleaner of temp folders takes it away, and nobody tells the hub. */
const LOOK_EVERY_MS = 2_000;

export interface ListeningOptions {
  readonly socketPath: string;
  readonly onClient: (socket: Socket) => void;
  readonly log: RpcLog;
  /** With a clock the socket is looked at from time to time, and made anew when it is gone. */
  readonly clock?: Clock | undefined;
}

/**
 * The socket that clients find. A socket whose file was removed still listens, but nobody can find it: then a new one is made at the
 * same place. Clients that are connected notice nothing.
 */
export class Listening {
  readonly #options: ListeningOptions;
  readonly #ended: Promise<void>[] = [];
  #server: Server | null = null;
  #identity: string | null = null;
  #cancelLook: (() => void) | null = null;
  #looking: Promise<void> = Promise.resolve();
  #complained: string | null = null;
  #closed = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** @throws {SocketPlaceRefused} when the place is unsafe, too long, or taken. */
  async open(): Promise<void> {
    const { socketPath, onClient, log } = this.#options;
    await prepareSocketFolder(socketPath);
    const server = createServer(onClient);
    server.maxConnections = MOST_CLIENTS;
    await listen(server, socketPath);
    this.#server = server;
    server.on('error', (error) => log.error({ err: error }, 'rpc server'));
    await protectSocket(socketPath);
    this.#identity = await identityOf(socketPath);
    this.#lookLater();
  }

  /** Takes no more clients, and removes the socket. Resolves when all that were taken are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelLook?.();
    await this.#looking;
    this.#stop();
    await Promise.all(this.#ended);
  }

  #stop(): void {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.#ended.push(new Promise((resolve) => server.close(() => resolve())));
  }

  #lookLater(): void {
    const { clock, socketPath } = this.#options;
    if (clock === undefined || this.#closed || isPipe(socketPath)) return;
    this.#cancelLook?.();
    this.#cancelLook = clock.after(LOOK_EVERY_MS, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#complain(error instanceof Error ? error.message : String(error)))
        .finally(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    const { socketPath, log } = this.#options;
    const found = await identityOf(socketPath);
    if (found !== null && found === this.#identity) return;
    if (found !== null) {
      if (!(await lstat(socketPath)).isSocket()) return this.#complain('a file that is no socket is in its place');
      if ((await probeSocket(socketPath)) === 'answers')
        return this.#complain("another program's socket is in its place");
      await unlink(socketPath);
    }
    if (this.#closed) return;
    // Closing removes whatever lies at the path, so it comes before the new socket is made.
    this.#stop();
    await this.open();
    this.#complained = null;
    log.warn({ socket: socketPath }, 'the socket was gone and has been made anew');
  }

  /** Once for each reason. */
  #complain(reason: string): void {
    if (this.#complained === reason) return;
    this.#complained = reason;
    this.#options.log.error({ socket: this.#options.socketPath, reason }, 'clients cannot reach the hub at its socket');
  }
}

async function identityOf(socketPath: string): Promise<string | null> {
  if (isPipe(socketPath)) return null;
  try {
    const { dev, ino } = await lstat(socketPath);
    return `${dev}:${ino}`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * The socket file is made with what the umask of the process leaves. It must not be changed for this moment: it counts for every
 * thread, and a folder that another one makes meanwhile would be closed to its owner. The hub has 077 from its start.
 */
function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const next = 'Stop the other hub with claude-sync down, or give another path with --socket.';
      reject(new SocketPlaceRefused(socketPath, 'something is there already', next));
    };
    server.once('error', onError);
    server.listen(socketPath, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
