import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  ResponseError,
  type MessageConnection,
} from 'vscode-jsonrpc';
import { StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { HubError } from '../protocol/errors.ts';
import type { Method, RequestOf, ResultOf } from '../protocol/methods.ts';
import type { NotificationName, NotificationParams } from '../protocol/notifications.ts';
import { PROTOCOL_VERSION, type HelloResult } from '../protocol/version.ts';

/** A connection to a running hub, past its handshake. All failures are `HubError`. */
export interface HubClient {
  /** What the hub said in the handshake. */
  readonly hello: HelloResult;
  /**
   * `user@host:port` of the machine that the hub runs on, where that is another one: then `hello.pid` is a process there, and nothing here
   * may signal it or wait for its end. Left out for a hub of this computer.
   */
  readonly elsewhere?: string;
  /**
   * Asks and waits for the answer. `signal` cancels the request at the hub too.
   * @throws {HubError} as the hub reported it; `disconnected` when the connection ended first (whether a change was made
   * is then not known); `cancelled` after `signal`.
   */
  request<M extends Method>(
    method: M,
    params: RequestOf<M>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<ResultOf<M>>;
  /** Calls `listener` for every notification of this name until the returned function is called. */
  onNotification<N extends NotificationName>(name: N, listener: (params: NotificationParams<N>) => void): () => void;
  /** Calls `listener` once when the connection is over, at once when it is already. */
  onClose(listener: () => void): void;
  /** Ends the connection; open requests fail with `disconnected`. */
  close(): void;
}

/** How a client presents itself. */
export interface ConnectOptions {
  /** `cli`, `extension`, ... */
  readonly client?: string;
  /** Version of the client's package. */
  readonly version?: string;
  /** How long connecting and the handshake may take, in ms. */
  readonly timeoutMs?: number;
  /** How long the hub may be silent while an answer is waited for, in ms. Default 20 s. */
  readonly silenceMs?: number;
}

/** How a client speaks over a stream that is there already. */
export interface TalkOptions extends ConnectOptions {
  /** Where the hub is, for messages: `no answer of the hub at ...`. */
  readonly place: string;
  /** See `HubClient.elsewhere`. */
  readonly elsewhere?: string;
  /** Aborting gives up the handshake. It does not end a client that was made. */
  readonly signal?: AbortSignal;
}

/** For connecting and the handshake, ms. */
const TIMEOUT_MS = 5000;

/** Longest silence of a hub that works: its event loop is never held up for more than moments. */
const SILENCE_MS = 20_000;

/** Answered from memory: those that take longer than the longest silence are not answered at all. All others may take their time. */
const QUICK: ReadonlySet<string> = new Set<Method>([
  'hub/status',
  'hub/where',
  'hub/shutdown',
  'machines/list',
  'machines/pause',
  'conflicts/list',
  'approve/list',
]);

/**
 * Connects to the hub at `socketPath` and says hello.
 * @throws {HubError} `not-running` when nobody answers there, `timed-out` when the hub does not answer in time,
 * `protocol-mismatch` when it is of another version.
 */
export async function connectToHub(socketPath: string, options: ConnectOptions = {}): Promise<HubClient> {
  const socket = connect(socketPath);
  return inTime(socket, socketPath, options.timeoutMs, async (timeout) => {
    await connected(socket, socketPath, timeout);
    return talkTo(socket, { ...options, place: socketPath, giveUp: timeout });
  });
}

/**
 * Says hello to a hub over a stream that leads to it. From then on the stream is the client's: it ends with the client, and the client
 * with it.
 * @throws {HubError} `timed-out` when the hub does not answer in time, `protocol-mismatch` when it is of another version, `disconnected`
 * when the stream ended first, `cancelled` after `signal`; the stream is destroyed then.
 */
export async function talkToHub(stream: Duplex, options: TalkOptions): Promise<HubClient> {
  const { place, timeoutMs, signal } = options;
  return inTime(stream, place, timeoutMs, (timeout) => {
    const giveUp = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    return talkTo(stream, { ...options, giveUp });
  });
}

/** What `task` comes to within the time; else, and when it fails, the stream is destroyed. */
async function inTime<T>(
  stream: Duplex,
  place: string,
  timeoutMs = TIMEOUT_MS,
  task: (timeout: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    return await task(timeout.signal);
  } catch (error) {
    stream.destroy();
    if (timeout.signal.aborted) throw new HubTooSlow(place, timeoutMs);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The hub's socket is there, but it does not answer. */
export class HubTooSlow extends HubError {
  /** @param place its socket, or more where that is on another machine. */
  constructor(place: string, timeoutMs: number) {
    super('timed-out', `the hub at ${place} did not answer within ${timeoutMs} ms`, {
      unchanged: 'Nothing was changed.',
      next: 'Try again; if it stays silent, look into its log and restart it.',
    });
    this.name = 'HubTooSlow';
  }
}

/** No hub answers at this socket. */
export class HubNotRunning extends HubError {
  readonly socketPath: string;

  constructor(socketPath: string, cause?: unknown) {
    super('not-running', `no hub is running at ${socketPath}`, {
      unchanged: 'Nothing was changed.',
      next: 'Start it with claude-sync up.',
      cause,
    });
    this.name = 'HubNotRunning';
    this.socketPath = socketPath;
  }
}

function connected(socket: Socket, socketPath: string, timeout: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    timeout.addEventListener('abort', () => reject(new Error('timed out')), { once: true });
    socket.once('connect', () => resolve());
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'ENOTSOCK'].includes(error.code ?? '');
      const failure = new HubError('io', `cannot connect to the hub at ${socketPath}: ${error.message}`, {
        cause: error,
      });
      reject(nobody ? new HubNotRunning(socketPath, error) : failure);
    });
  });
}

async function talkTo(
  stream: Duplex,
  options: ConnectOptions & { readonly place: string; readonly elsewhere?: string; readonly giveUp: AbortSignal },
): Promise<HubClient> {
  const silenceMs = options.silenceMs ?? SILENCE_MS;
  const connection = createMessageConnection(new StreamMessageReader(stream), new StreamMessageWriter(stream));
  const closeListeners = new Set<() => void>();
  const listeners = new Map<string, Set<(params: unknown) => void>>();
  let over = false;
  stream.once('close', () => {
    over = true;
    // The library leaves open requests pending for ever when the stream ends; disposing rejects them.
    connection.dispose();
    for (const listener of closeListeners) listener();
  });
  // A 'close' follows every 'error', and that is where it is handled.
  stream.on('error', () => undefined);
  // A socket does this by itself; a stream that may be half open would never close.
  stream.once('end', () => stream.end());
  connection.onError(() => stream.destroy());
  // The library keeps one listener per name only.
  connection.onNotification((name, params) => {
    for (const listener of [...(listeners.get(name) ?? [])]) listener(params);
  });
  connection.listen();

  const request = <M extends Method>(
    method: M,
    params: RequestOf<M>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ResultOf<M>> =>
    attended(connection, {
      answer: ask(connection, method, params, signal) as Promise<ResultOf<M>>,
      isQuick: QUICK.has(method),
      silenceMs,
      tooSlow: () => new HubTooSlow(options.place, silenceMs),
    });

  const hello = await request(
    'hub/hello',
    { protocol: PROTOCOL_VERSION, client: options.client ?? 'client', version: options.version ?? '0.0.0' },
    { signal: options.giveUp },
  );
  return {
    hello,
    ...(options.elsewhere === undefined ? {} : { elsewhere: options.elsewhere }),
    request,
    onNotification: (name, listener) => {
      const added = listener as (params: unknown) => void;
      const sameName = listeners.get(name) ?? new Set();
      listeners.set(name, sameName.add(added));
      return () => void sameName.delete(added);
    },
    onClose: (listener) => {
      if (over) listener();
      else closeListeners.add(listener);
    },
    close: () => void stream.destroy(),
  };
}

/**
 * An answer, or the error that the hub has fallen silent: it was stopped, or its disk hangs. While a long answer is waited for, the hub
 * is asked something small from time to time; that it answers this is enough.
 */
async function attended<T>(
  connection: MessageConnection,
  waiting: {
    readonly answer: Promise<T>;
    readonly isQuick: boolean;
    readonly silenceMs: number;
    readonly tooSlow: () => HubError;
  },
): Promise<T> {
  const { answer, isQuick, silenceMs, tooSlow } = waiting;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const silent = new Promise<never>((_, reject) => {
    const wait = (then: () => void): void => {
      clearTimeout(timer);
      if (!over) timer = setTimeout(then, silenceMs);
    };
    const giveUp = (): void => reject(tooSlow());
    const probe = (): void => {
      wait(giveUp);
      const answered = (): void => wait(probe);
      connection.sendRequest('hub/where', {}).then(answered, answered);
    };
    wait(isQuick ? giveUp : probe);
  });
  try {
    return await Promise.race([answer, silent]);
  } finally {
    over = true;
    clearTimeout(timer);
  }
}

async function ask(
  connection: MessageConnection,
  method: string,
  params: object,
  signal?: AbortSignal,
): Promise<unknown> {
  const cancellation = new CancellationTokenSource();
  const onAbort = (): void => cancellation.cancel();
  let stopWaiting: (() => void) | undefined;
  // The hub may be unable to answer even a cancellation (it is stopped), so the wait here ends on its own.
  const aborted = new Promise<never>((_, reject) => {
    stopWaiting = () => {
      onAbort();
      reject(new HubError('cancelled', `${method} was cancelled`));
    };
    if (signal?.aborted) stopWaiting();
    signal?.addEventListener('abort', stopWaiting, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    const answer = connection.sendRequest(method, params, cancellation.token);
    answer.catch(() => undefined);
    return await Promise.race([answer, aborted]);
  } catch (error) {
    if (HubError.is(error)) throw error;
    if (error instanceof ResponseError && !CONNECTION_FAILED.has(error.code)) throw HubError.fromRpc(error);
    throw new HubError('disconnected', `the connection to the hub ended before ${method} was answered`, {
      unchanged: 'Whether the hub still carried it out is not known.',
      next: 'See claude-sync status, then try again.',
      cause: error,
    });
  } finally {
    if (stopWaiting) signal?.removeEventListener('abort', stopWaiting);
    cancellation.dispose();
  }
}

/** The library's own codes for requests that were not written, or were open when the connection was disposed. */
const CONNECTION_FAILED: ReadonlySet<number> = new Set([
  ErrorCodes.MessageWriteError,
  ErrorCodes.MessageReadError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
]);
