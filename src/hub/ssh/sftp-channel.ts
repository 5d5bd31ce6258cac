import type { SFTPWrapper } from 'ssh2';
import type { UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError } from '../ports/file-system.ts';

/** A request without an answer for this long, while nothing else was transferred, means that the other side hangs. */
const SILENT_MS = 15_000;
/** More than keepalives: as long as this much moves between two looks, a slow line is at work. */
const MOVED_BYTES = 4_096;
/** What every SFTP server takes in one packet. */
const SMALL_PACKET = 32 * 1024;

/** What a channel is made of. */
export interface SftpChannelOptions {
  readonly sftp: SFTPWrapper;
  readonly clock: Clock;
  /** Bytes that the connection has moved so far, in both directions. */
  readonly moved: () => number;
  /** The other side hangs or broke the protocol; told once. The caller ends the connection. */
  readonly onLost: (reason: Error) => void;
  /** See `SILENT_MS`. */
  readonly silentMs?: number;
  /** Told of every request and answer; for counting round trips. */
  readonly trace?: (what: 'asked' | 'answered', operation: string) => void;
}

/** Status of SFTP version 3 in an error of ssh2, `null` for anything else. */
export function statusOf(error: unknown): number | null {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'number' ? code : null;
}

/** Status codes of SFTP version 3 (draft-ietf-secsh-filexfer-02, section 7). */
export const STATUS = {
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

/**
 * Requests on one SFTP channel, as promises that always end: with the answer, with the server's error, or with `disconnected` when the
 * channel is gone or the other side says nothing any more. The keepalives of SSH do not notice a server process that hangs: sshd
 * answers them by itself.
 */
export class SftpChannel {
  readonly #options: SftpChannelOptions;
  readonly #pending = new Set<(error: Error) => void>();
  #lost: Error | null = null;
  #movedAt: UnixMs = 0;
  #moved = 0;
  #cancelCheck: (() => void) | null = null;

  constructor(options: SftpChannelOptions) {
    this.#options = options;
    const { sftp } = options;
    sftp.on('close', () => this.#lose(new Error('the SFTP channel was closed')));
    sftp.on('end', () => this.#lose(new Error('the SFTP channel has ended')));
    sftp.on('error', (error: Error) => this.#lose(error));
  }

  /** Most bytes of one read, as the server told (`limits@openssh.com`). */
  get maxRead(): number {
    return limitOf(this.#options.sftp, '_maxReadLen');
  }

  /** Most bytes of one write, as the server told. */
  get maxWrite(): number {
    return limitOf(this.#options.sftp, '_maxWriteLen');
  }

  /** Whether the server has an extension, by its name such as `fsync@openssh.com`, in the version that ssh2 speaks. */
  hasExtension(name: string): boolean {
    const told = (this.#options.sftp as unknown as { _extensions?: Readonly<Record<string, unknown>> })._extensions;
    return told?.[name] === (name.startsWith('statvfs@') ? '2' : '1');
  }

  get isLost(): boolean {
    return this.#lost !== null;
  }

  /**
   * Sends one request; requests are sent in the order of the calls.
   * @param send hands the request to ssh2; what it throws is "the server has no such extension".
   * @throws {FileSystemError} `disconnected` (the outcome is unknown), `unsupported`; else the error of ssh2 with its status.
   */
  request<T>(
    operation: string,
    path: string,
    send: (sftp: SFTPWrapper, done: (error: Error | null | undefined, value: T) => void) => void,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const disconnected = (cause: Error): void => reject(new FileSystemError('disconnected', operation, path, cause));
      if (this.#lost !== null) return disconnected(this.#lost);
      this.#pending.add(disconnected);
      this.#expectAnswer();
      this.#options.trace?.('asked', operation);
      try {
        send(this.#options.sftp, (error, value) => {
          if (!this.#pending.delete(disconnected)) return;
          this.#options.trace?.('answered', operation);
          this.#movedAt = this.#options.clock.now();
          if (error === undefined || error === null) return resolve(value);
          const status = statusOf(error);
          // ssh2 fails what is under way when a channel ends with an error that has no status.
          if (status === null || status === STATUS.noConnection || status === STATUS.connectionLost)
            return disconnected(error);
          reject(error);
        });
      } catch (error) {
        this.#pending.delete(disconnected);
        reject(new FileSystemError('unsupported', operation, path, error));
      }
    });
  }

  /** Ends the channel; what is under way fails with `disconnected`. */
  close(): void {
    this.#fail(new Error('the connection was closed'));
    this.#options.sftp.end();
  }

  #expectAnswer(): void {
    if (this.#pending.size > 1 || this.#cancelCheck !== null) return;
    this.#movedAt = this.#options.clock.now();
    this.#moved = this.#options.moved();
    this.#checkLater();
  }

  #checkLater(): void {
    const silentMs = this.#options.silentMs ?? SILENT_MS;
    this.#cancelCheck = this.#options.clock.after(silentMs / 3, () => {
      this.#cancelCheck = null;
      if (this.#lost !== null || this.#pending.size === 0) return;
      const now = this.#options.clock.now();
      const moved = this.#options.moved();
      if (moved - this.#moved > MOVED_BYTES) this.#movedAt = now;
      this.#moved = moved;
      if (now - this.#movedAt >= silentMs)
        return this.#lose(new Error(`no answer for ${Math.round(silentMs / 1000)} s`));
      this.#checkLater();
    });
  }

  #lose(reason: Error): void {
    if (this.#lost !== null) return;
    this.#fail(reason);
    this.#options.onLost(reason);
  }

  #fail(reason: Error): void {
    this.#lost ??= reason;
    this.#cancelCheck?.();
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const fail of pending) fail(reason);
  }
}

/** ssh2 asks for the limits and keeps the answer to itself. */
function limitOf(sftp: SFTPWrapper, name: '_maxReadLen' | '_maxWriteLen'): number {
  const limit = (sftp as unknown as Record<string, unknown>)[name];
  return typeof limit === 'number' && limit > 0 ? limit : SMALL_PACKET;
}
