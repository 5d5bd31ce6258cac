import { HubError } from '../../protocol/errors.ts';
import { talkToHub, type ConnectOptions, type HubClient } from '../connect.ts';
import type { RemoteHubOptions, RemoteOutcome, openRemoteHub } from './index.ts';

/** What is used of the bundle of this room (`index.ts`); whoever calls loads it. */
export interface RemoteRoom {
  readonly openRemoteHub: typeof openRemoteHub;
}

/** The handshake goes over a network, and the hub may be busy, ms. */
const HANDSHAKE_MS = 15_000;

/**
 * Connects to a hub on another machine and says hello. Belongs to the bundle of the caller, and brings no SSH with it.
 *
 * Closing the client closes the SSH connection, and the end of that closes the client. `elsewhere` of the client is set: its `hello.pid` is a
 * process of the other machine.
 * @throws {HubError} as `openRemoteHub` says, and as `talkToHub`.
 */
export async function connectToRemoteHub(
  room: RemoteRoom,
  options: RemoteHubOptions & ConnectOptions,
): Promise<HubClient> {
  const { client, version, silenceMs, timeoutMs = HANDSHAKE_MS, signal, ...rest } = options;
  const cancel = signal === undefined ? {} : { signal };
  const { stream, server, socket } = valueOf(await room.openRemoteHub({ ...rest, ...cancel }));
  return talkToHub(stream, {
    ...cancel,
    timeoutMs,
    place: `${socket} on ${server}`,
    elsewhere: server,
    ...(client === undefined ? {} : { client }),
    ...(version === undefined ? {} : { version }),
    ...(silenceMs === undefined ? {} : { silenceMs }),
  });
}

/** What a task of the remote room came to. @throws {HubError} of this bundle, where it failed. */
export function valueOf<T>(outcome: RemoteOutcome<T>): T {
  if (outcome.ok) return outcome.value;
  const { code, message, unchanged, next } = outcome.failure;
  throw new HubError(code, message, { unchanged, next });
}
