import type { Socket } from 'node:net';
import { createMessageConnection, ResponseError, type CancellationToken, type MessageConnection } from 'vscode-jsonrpc';
import { ERROR_NUMBERS, HubError } from '../../protocol/errors.ts';
import { isMethod, METHODS, type Method } from '../../protocol/methods.ts';
import type { NotificationSource } from '../../protocol/notifications.ts';
import type { HubService, RequestContext } from '../../protocol/service.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import { FrameGuard } from './frame-guard.ts';
import { CheckedReader, CountingWriter, MOST_UNREAD_MESSAGES, Traffic } from './message-streams.ts';
import type { RpcLog } from './rpc-log.ts';

/** How long a connection may stay silent before its handshake, in ms. */
export const HANDSHAKE_MS = 10_000;

/** One connected client. Whatever it does ends its own connection at most. */
export class ClientSession {
  /** Resolves when the connection is over and nothing of it is left. Never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #service: HubService;
  readonly #notifications: NotificationSource;
  readonly #log: RpcLog;
  readonly #traffic = new Traffic();
  readonly #gone = new AbortController();
  readonly #connection: MessageConnection;
  #greeted = false;
  #unsubscribe: (() => void) | null = null;

  constructor(options: {
    readonly socket: Socket;
    readonly service: HubService;
    readonly notifications: NotificationSource;
    readonly log: RpcLog;
  }) {
    this.#socket = options.socket;
    this.#service = options.service;
    this.#notifications = options.notifications;
    this.#log = options.log;

    const guard = new FrameGuard();
    guard.on('error', (error) => this.#drop(error.message));
    this.#socket.on('error', (error) => this.#drop(error.message));
    this.#socket.setTimeout(HANDSHAKE_MS, () => this.#drop('no handshake'));
    this.#connection = createMessageConnection(
      new CheckedReader(guard, this.#traffic),
      new CountingWriter(this.#socket, this.#traffic),
      {
        error: (message) => this.#log.debug({ message }, 'rpc client'),
        warn: (message) => this.#log.debug({ message }, 'rpc client'),
        info: () => undefined,
        log: () => undefined,
      },
    );
    this.#connection.onRequest((method, params, token) => this.#answer(method, params, token));
    this.#connection.onError(([error]) => this.#drop(error.message));
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', () => {
        this.#unsubscribe?.();
        this.#gone.abort();
        guard.destroy();
        this.#connection.dispose();
        resolve();
      });
    });
    this.#connection.listen();
    this.#socket.pipe(guard);
  }

  /** Aborts open requests, lets their answers reach the client, for `graceMs` at most, then ends the connection. */
  async close(graceMs: number): Promise<void> {
    const deadline = setTimeout(() => this.#socket.destroy(), graceMs);
    this.#gone.abort();
    await Promise.race([this.#traffic.whenIdle(), this.closed]);
    this.#socket.end(() => this.#socket.destroy());
    await this.closed;
    clearTimeout(deadline);
  }

  async #answer(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    const cancelled = new AbortController();
    const subscription = token.onCancellationRequested(() => cancelled.abort());
    if (token.isCancellationRequested) cancelled.abort();
    const request: RequestContext = { signal: AbortSignal.any([cancelled.signal, this.#gone.signal]) };
    try {
      return await this.#dispatch(method, params, request);
    } catch (error) {
      const failure = HubError.is(error) ? error : this.#unexpected(method, error);
      return new ResponseError(ERROR_NUMBERS[failure.code], failure.message, failure.toData());
    } finally {
      subscription.dispose();
    }
  }

  async #dispatch(name: string, params: unknown, request: RequestContext): Promise<unknown> {
    if (!isMethod(name)) {
      throw new HubError('unknown-method', `this hub does not know the request ${JSON.stringify(name.slice(0, 60))}`, {
        unchanged: 'Nothing was done.',
        next: 'Hub and client are of different versions: upgrade the older one, then restart the hub.',
      });
    }
    if (!this.#greeted && name !== 'hub/hello') {
      throw new HubError('handshake-required', `${name} was asked before hub/hello`, {
        unchanged: 'Nothing was done.',
        next: 'Send hub/hello first on every connection.',
      });
    }
    const checked = checkParams(name, params);
    if (name === 'hub/hello') this.#checkProtocol((checked as { protocol: number }).protocol);
    const handler = this.#service[name] as (params: unknown, request: RequestContext) => Promise<unknown>;
    const result = await handler.call(this.#service, checked, request);
    if (name === 'hub/hello') this.#greet(checked as { client: string; version: string });
    return result;
  }

  #checkProtocol(theirs: number): void {
    if (theirs === PROTOCOL_VERSION) return;
    const older = theirs < PROTOCOL_VERSION ? 'client' : 'hub';
    throw new HubError('protocol-mismatch', `the client speaks protocol ${theirs}, the hub ${PROTOCOL_VERSION}`, {
      unchanged: 'Nothing was done.',
      next: older === 'client' ? 'Upgrade this client.' : 'Upgrade the hub: claude-sync down, then claude-sync up.',
    });
  }

  #greet(client: { readonly client: string; readonly version: string }): void {
    if (this.#greeted || this.#gone.signal.aborted) return;
    this.#greeted = true;
    this.#socket.setTimeout(0);
    this.#log.debug({ client: client.client, version: client.version }, 'rpc client connected');
    this.#unsubscribe = this.#notifications.subscribe(({ method, params }) => {
      if (this.#gone.signal.aborted) return;
      if (this.#traffic.unread >= MOST_UNREAD_MESSAGES) {
        this.#drop('it does not read what it is sent');
        return;
      }
      this.#send(method, params).catch((error: unknown) => this.#drop(String(error)));
    });
  }

  /** Never throws in the call: the library does, when the client has left in the same moment. */
  async #send(method: string, params: object): Promise<void> {
    await this.#connection.sendNotification(method, params);
  }

  #unexpected(method: string, error: unknown): HubError {
    this.#log.error({ method, err: error }, 'request failed unexpectedly');
    const reason = error instanceof Error ? error.message : String(error);
    return new HubError('internal', `${method} failed unexpectedly: ${reason}`, {
      next: "The hub's log has the details; claude-sync doctor checks the usual causes.",
    });
  }

  #drop(reason: string): void {
    if (this.#socket.destroyed) return;
    this.#log.debug({ reason }, 'rpc client dropped');
    this.#socket.destroy();
  }
}

/** Parameters as the method's schema has them. Missing ones count as none. */
function checkParams(method: Method, params: unknown): unknown {
  const parsed = METHODS[method].params.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  throw new HubError('invalid-params', `${method}: wrong parameters${where}: ${issue?.message ?? 'not as declared'}`, {
    unchanged: 'Nothing was done.',
  });
}
