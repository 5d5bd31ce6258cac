import type { NotificationSource } from '../../protocol/notifications.ts';
import type { HubService } from '../../protocol/service.ts';
import type { Clock } from '../ports/clock.ts';
import { Listening } from './listening.ts';
import type { RpcLog } from './rpc-log.ts';
import { ClientSession } from './session.ts';

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
  /** With it, a socket that somebody removed is made anew. */
  readonly clock?: Clock;
}): Promise<RpcServer> {
  const { socketPath, service, notifications, log, clock } = options;
  const sessions = new Set<ClientSession>();
  const listening = new Listening({
    socketPath,
    log,
    clock,
    onClient: (socket) => {
      const session = new ClientSession({ socket, service, notifications, log });
      sessions.add(session);
      void session.closed.then(() => sessions.delete(session));
    },
  });
  await listening.open();
  return {
    socketPath,
    get clients() {
      return sessions.size;
    },
    close: async () => {
      const stopped = listening.close();
      await Promise.all([...sessions].map((session) => session.close(CLOSE_GRACE_MS)));
      await stopped;
    },
  };
}
