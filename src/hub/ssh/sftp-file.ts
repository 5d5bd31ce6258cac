import { FileSystemError, type EntryStat, type OpenFile } from '../ports/file-system.ts';
import type { Bandwidth } from './bandwidth.ts';
import type { SftpChannel } from './sftp-channel.ts';
import { entryStat, sftpError } from './sftp-facts.ts';

/** What an open file on the other side is made of. */
export interface SftpFileOptions {
  readonly channel: SftpChannel;
  readonly handle: Buffer;
  readonly path: string;
  readonly mode: 'read' | 'append' | 'create';
  readonly bandwidth: Bandwidth | null;
  /** What a write that simply failed means: the disk may be full. */
  readonly whyWriteFailed: (path: string, error: unknown) => Promise<FileSystemError>;
}

/**
 * An open file over SFTP. Requests are sent in the order of the calls without waiting for answers, and the server carries them out in that
 * order, so everything that is called at once takes one round trip.
 *
 * Writes of an append are the exception: when one falls short (a full disk), a shorter one behind it might still fit, and its lines
 * would follow half a line. So each waits for the one before; what is sent behind them waits, too.
 */
export class SftpFile implements OpenFile {
  readonly #options: SftpFileOptions;
  /** Resolves when the next request may be sent; `null`: at once. */
  #gate: Promise<void> | null = null;
  #lastWrite: Promise<unknown> | null = null;
  #written = 0;
  #writeFailure: FileSystemError | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: SftpFileOptions) {
    this.#options = options;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const { maxRead } = this.#options.channel;
    const parts: Promise<Buffer>[] = [];
    for (let at = 0; at < length; at += maxRead)
      parts.push(this.#readPart(position + at, Math.min(maxRead, length - at)));
    const read = await allOrFirstFailure(parts);
    const end = read.findIndex((part, index) => part.length < Math.min(maxRead, length - index * maxRead));
    const whole = end === -1 ? read : read.slice(0, end + 1);
    return whole.length === 1 && whole[0] !== undefined ? whole[0] : Buffer.concat(whole);
  }

  write(bytes: Uint8Array): Promise<void> {
    const { maxWrite } = this.#options.channel;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const parts: Promise<void>[] = [];
    for (let at = 0; at < buffer.length; at += maxWrite)
      parts.push(this.#writePart(buffer.subarray(at, at + maxWrite)));
    return allOrFirstFailure(parts).then(() => undefined);
  }

  stat(): Promise<EntryStat> {
    return this.#send('stat', async () => {
      const stats = await this.#request<Parameters<typeof entryStat>[0]>('stat', (sftp, done) =>
        sftp.fstat(this.#options.handle, done),
      );
      return entryStat(stats);
    });
  }

  setTimes(mtimeMs: number): Promise<void> {
    const seconds = Math.floor(mtimeMs / 1000);
    return this.#send('setTimes', () =>
      this.#request('setTimes', (sftp, done) =>
        sftp.futimes(this.#options.handle, seconds, seconds, (error) => done(error, undefined)),
      ),
    );
  }

  /** Only files that were made here get another mode, so what it was is known. */
  setExecutable(executable: boolean): Promise<void> {
    return this.#send('setExecutable', () =>
      this.#request('setExecutable', (sftp, done) =>
        sftp.fchmod(this.#options.handle, executable ? 0o700 : 0o600, (error) => done(error, undefined)),
      ),
    );
  }

  async sync(): Promise<void> {
    try {
      await this.#send('sync', () =>
        this.#request('sync', (sftp, done) =>
          sftp.ext_openssh_fsync(this.#options.handle, (error) => done(error, undefined)),
        ),
      );
    } catch (error) {
      if (!FileSystemError.is(error, 'unsupported')) throw error;
    }
  }

  /** Waited for only where it may say that not all was written: what is asked for next comes after it anyway. */
  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    const closing = this.#send('close', () =>
      this.#request<void>('close', (sftp, done) => sftp.close(this.#options.handle, (error) => done(error, undefined))),
    ).catch((error: unknown) => {
      // With its channel the other side closes the file by itself.
      if (this.#options.mode === 'create' && !FileSystemError.is(error, 'disconnected')) throw error;
    });
    this.#closing = this.#options.mode === 'create' ? closing : Promise.resolve();
    return this.#closing;
  }

  async #readPart(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const [from, left] = [position + filled, length - filled];
      const wait = this.#options.bandwidth?.take(left) ?? null;
      const count = await this.#send(
        'read',
        () =>
          this.#request<number>('read', (sftp, done) =>
            sftp.read(this.#options.handle, buffer, filled, left, from, (error, bytes) => done(error, bytes)),
          ),
        wait,
      );
      // Servers other than OpenSSH's answer with less than was asked for also in the middle of a file.
      if (count === 0) break;
      filled += count;
    }
    return filled === length ? buffer : buffer.subarray(0, filled);
  }

  #writePart(part: Buffer): Promise<void> {
    const { mode, bandwidth } = this.#options;
    const position = this.#written;
    this.#written += part.length;
    const limit = bandwidth?.take(part.length) ?? null;
    const before = mode === 'append' ? this.#lastWrite : null;
    const wait = before === null ? limit : Promise.all([before, limit]).then(() => undefined);
    const writing = this.#send(
      'write',
      async () => {
        if (this.#writeFailure !== null) throw this.#writeFailure;
        try {
          await this.#request<void>('write', (sftp, done) =>
            sftp.write(this.#options.handle, part, 0, part.length, position, (error) => done(error, undefined)),
          );
        } catch (error) {
          this.#writeFailure ??= await this.#options.whyWriteFailed(this.#options.path, error);
          throw this.#writeFailure;
        }
      },
      wait,
    );
    this.#lastWrite = writing.catch(() => undefined);
    return writing;
  }

  #request<T>(operation: string, send: Parameters<SftpChannel['request']>[2]): Promise<T> {
    return this.#options.channel.request<unknown>(operation, this.#options.path, send) as Promise<T>;
  }

  /** Sends a request when everything that was called before has been sent, and after `wait`. */
  #send<T>(operation: string, task: () => Promise<T>, wait: Promise<void> | null = null): Promise<T> {
    const { path } = this.#options;
    if (this.#closing !== null)
      return Promise.reject(new FileSystemError('io', operation, path, new Error('already closed')));
    const failed = (error: unknown): never => {
      throw sftpError(operation, path, error);
    };
    const turn = this.#gate === null ? wait : wait === null ? this.#gate : Promise.all([this.#gate, wait]);
    if (turn === null) return task().catch(failed);
    // An object around it, or waiting for the turn would wait for the answer.
    const sent = turn.then(() => ({ answer: task() }));
    this.#gate = sent.then(
      ({ answer }) => void answer.catch(() => undefined),
      () => undefined,
    );
    return sent.then(({ answer }) => answer).catch(failed);
  }
}

/** All values; the first failure in order, when all have ended. */
async function allOrFirstFailure<T>(running: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(running);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
