import type { Duplex } from 'node:stream';
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import type { Clock } from '../ports/clock.ts';
import type { SshConnection } from './connection.ts';
import { SshFailure, lost, serverName, serverText } from './failures.ts';
import type { SignedIn } from './handshake.ts';
import type { ByteCount, Route } from './route.ts';
import { failAfterEnd } from './sftp-end.ts';
import type { SshSettings } from './settings.ts';

/** Time for a polite end, ms. */
const POLITE_MS = 1000;
/** A channel that is not open by then will not be: a start file of the shell there waits for somebody, for example. */
const OPEN_MS = 15_000;

/** A connection to a server that let us in. */
export class EstablishedConnection implements SshConnection {
  readonly settings: SshSettings;
  /** For example `aes128-gcm@openssh.com`. */
  readonly cipher: string;
  /** `SHA256:...` of the host key that was accepted. */
  readonly hostKey: string;
  readonly #server: string;
  readonly #client: SignedIn['client'];
  readonly #route: Route;
  readonly #clock: Clock;
  readonly #listeners: ((reason: Error) => void)[] = [];
  /** Channels that are being opened. */
  readonly #opening = new Set<(reason: Error) => void>();
  #end: SshFailure | null = null;
  #isClosed = false;
  #lastError: Error | null = null;

  constructor(settings: SshSettings, signedIn: SignedIn, route: Route, clock: Clock) {
    this.settings = settings;
    this.cipher = signedIn.negotiated.cs.cipher;
    this.hostKey = signedIn.hostKey;
    this.#server = serverName(settings);
    this.#client = signedIn.client;
    this.#route = route;
    this.#clock = clock;
    this.#client.on('error', (error) => {
      this.#lastError = error;
      this.#lose(serverText(error.message));
    });
    const ended = (): void => this.#lose(route.complaint() || 'the other side ended it');
    this.#client.once('end', ended);
    this.#client.once('close', ended);
  }

  get bytes(): ByteCount {
    return this.#route.bytes();
  }

  async openSftp(): Promise<SFTPWrapper> {
    return this.#open<SFTPWrapper>(
      (callback) => this.#client.sftp(callback),
      (error) =>
        new SshFailure('no-sftp', `opening SFTP on ${this.#server}: ${serverText(error.message)}`, {
          next: 'Check that its sshd_config has "Subsystem sftp", and that no start file of the shell (.bashrc) prints anything.',
          cause: error,
        }),
      (sftp) => failAfterEnd(sftp, () => this.#end ?? lost(this.#server, 'the SFTP channel ended')),
    );
  }

  async exec(command: string): Promise<ClientChannel> {
    return this.#open<ClientChannel>(
      (callback) => this.#client.exec(command, callback),
      (error) =>
        new SshFailure('no-exec', `running a command on ${this.#server}: ${serverText(error.message)}`, {
          next: 'Check that this account may run commands there (ForceCommand, MaxSessions).',
          cause: error,
        }),
      keepQuiet,
    );
  }

  /** A connection from the server on to another one, as a jump host makes it. `host` and `port` as the server sees them. */
  async forward(host: string, port: number): Promise<Duplex> {
    return this.#open<ClientChannel>(
      (callback) => this.#client.forwardOut('127.0.0.1', 0, host, port, callback),
      (error) =>
        new SshFailure(
          'unreachable',
          `connecting to ${host}:${port} from ${this.#server}: ${serverText(error.message)}`,
          {
            next: 'Check the host and its port as the jump host sees them, and that the jump host allows forwarding.',
            cause: error,
          },
        ),
      keepQuiet,
    );
  }

  /**
   * Has the server listen and pass on who connects there, until `end` or the end of this connection. One at a time.
   * @param port 0: the server chooses one. @param onConnection gets each connection; it has to end it.
   * @throws SshFailure `unreachable` where the server does not: forbidden, or the port is taken.
   */
  async listenThere(
    host: string,
    port: number,
    onConnection: (stream: Duplex) => void,
  ): Promise<{ readonly port: number; end(): Promise<void> }> {
    const take = (_details: unknown, accept: () => ClientChannel): void => {
      const channel = accept();
      keepQuiet(channel);
      onConnection(channel);
    };
    this.#client.on('tcp connection', take);
    try {
      const bound = await this.#open<{ readonly port: number; end(): void }>(
        (callback) =>
          this.#client.forwardIn(host, port, (error, chosen) => {
            const real = port === 0 ? (chosen ?? 0) : port;
            callback(error, { port: real, end: () => void this.#client.unforwardIn(host, real, () => undefined) });
          }),
        (error) =>
          new SshFailure(
            'unreachable',
            `having ${this.#server} listen on ${host}:${port}: ${serverText(error.message)}`,
            {
              next: 'Check that nothing else listens there, and that its sshd_config allows it (AllowTcpForwarding yes or remote, PermitListen).',
              cause: error,
            },
          ),
        () => undefined,
      );
      const listening = bound.port;
      return {
        port: listening,
        end: () =>
          new Promise((resolve) => {
            this.#client.off('tcp connection', take);
            if (this.#end !== null) return resolve();
            // However it answers: with the connection it ends anyway.
            this.#client.unforwardIn(host, listening, () => resolve());
          }),
      };
    } catch (error) {
      this.#client.off('tcp connection', take);
      throw error;
    }
  }

  onLost(listener: (reason: Error) => void): void {
    if (this.#isClosed) return;
    const reason = this.#end;
    if (reason === null) this.#listeners.push(listener);
    else
      queueMicrotask(() => {
        if (!this.#isClosed) listener(reason);
      });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.length = 0;
    // Lost before: nothing is left to end.
    if (this.#end !== null) return;
    this.#fail(lost(this.#server, 'it was closed'));
    const cancel = this.#clock.after(POLITE_MS, () => this.#route.end());
    this.#client.once('close', () => {
      cancel();
      this.#route.end();
    });
    this.#client.end();
  }

  #lose(why: string): void {
    if (this.#end !== null) return;
    const reason = lost(this.#server, why, this.#lastError ?? undefined);
    this.#fail(reason);
    // ssh2 only ends its half of a socket after an error, and the other side may be dead. Requests fail with the end of the socket.
    this.#route.end();
    for (const listener of this.#listeners.splice(0)) listener(reason);
  }

  #fail(reason: SshFailure): void {
    this.#end = reason;
    for (const reject of this.#opening) reject(reason);
    this.#opening.clear();
  }

  #open<T extends { end(): unknown }>(
    begin: (callback: (error: Error | undefined, channel: T) => void) => unknown,
    failure: (error: Error) => Error,
    prepare: (channel: T) => void,
  ): Promise<T> {
    if (this.#end !== null) return Promise.reject(this.#end);
    return new Promise<T>((resolve, reject) => {
      let isSettled = false;
      this.#opening.add(reject);
      const cancel = this.#clock.after(OPEN_MS, () => settle(new Error(`no answer within ${OPEN_MS / 1000} s`), null));
      const settle = (error: Error | undefined, channel: T | null): void => {
        if (channel !== null) prepare(channel);
        // It comes after all, and nobody waits for it: a server has few of them.
        if (isSettled) return void channel?.end();
        isSettled = true;
        cancel();
        this.#opening.delete(reject);
        if (this.#end !== null) reject(this.#end);
        else if (error !== undefined || channel === null) reject(failure(error ?? new Error('no channel')));
        else resolve(channel);
      };
      try {
        begin((error, channel) => settle(error, error instanceof Error ? null : channel));
      } catch (error) {
        // ssh2 throws where it knows that the socket is gone, which it is about to tell.
        settle(error instanceof Error ? error : new Error(String(error)), null);
      }
    });
  }
}

/** An error of a channel comes before its end, which whoever uses it hears of. Without a listener it would end the process. */
function keepQuiet(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  channel.stderr.on('error', () => undefined);
}
