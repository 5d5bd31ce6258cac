import { createServer, type Server } from 'node:net';
import type { NotificationSource } from '../../protocol/notifications.ts';
import type { HubService } from '../../protocol/service.ts';
import type { RpcLog } from './rpc-log.ts';
import { ClientSession } from './session.ts';
import { prepareSocketFolder, protectSocket, SocketPlaceRefused } from './socket-place.ts';

/** Most clients at a time: every VS Code window has one, a CLI call another. */
const MOST_CLIENTS = 256;

/** How long `close` lets answers travel that are being written, in ms. */
const CLOSE_GRACE_MS = 1000;

/** The hub's ear. */
export interface RpcServer {
  readonly socketPath: string;
  /** How many clients are connected now. */
  readonly clients: number;
  /** Takes no more clients, lets answers that are being written reach theirs, ends all connections, removes the socket. */
  close(): Promise<void>;
}

/**
 * Listens on a Unix socket (0600, in a folder that only this user can enter) or a named pipe, and dispatches every client's
 * requests to `service`. Call it after `acquireHubLock`: it never removes a socket file that is there.
 *
 * A client that sends rubbish, floods, stops reading or vanishes ends its own connection; others do not notice.
 * @throws {SocketPlaceRefused} when the place is unsafe, too long, or taken.
 */
export async function startRpcServer(options: {
  readonly socketPath: string;
  readonly service: HubService;
  readonly notifications: NotificationSource;
  readonly log: RpcLog;
}): Promise<RpcServer> {
  const { socketPath, service, notifications, log } = options;
  await prepareSocketFolder(socketPath);
  const sessions = new Set<ClientSession>();
  const server = createServer((socket) => {
    const session = new ClientSession({ socket, service, notifications, log });
    sessions.add(session);
    void session.closed.then(() => sessions.delete(session));
  });
  server.maxConnections = MOST_CLIENTS;
  await listen(server, socketPath);
  server.on('error', (error) => log.error({ err: error }, 'rpc server'));
  await protectSocket(socketPath);
  return {
    socketPath,
    get clients() {
      return sessions.size;
    },
    close: async () => {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...sessions].map((session) => session.close(CLOSE_GRACE_MS)));
      await stopped;
    },
  };
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const next = 'Stop the other hub with claude-sync down, or give another path with --socket.';
      reject(new SocketPlaceRefused(socketPath, 'something is there already', next));
    };
    server.once('error', onError);
    // The socket file is made within the call: others never see it with wider permissions.
    const umask = process.umask(0o177);
    try {
      server.listen(socketPath, () => {
        server.off('error', onError);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}
