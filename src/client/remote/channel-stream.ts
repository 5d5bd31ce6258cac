import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';

/** The connection that a channel belongs to, as its stream needs it. */
export interface Carrier {
  onLost(listener: (reason: Error) => void): void;
  close(): void;
}

/**
 * A channel to the hub that lives and ends with its SSH connection. A channel of ssh2 is no stream to rely on for that: `destroy` waits for
 * the other side to confirm, which may be dead, and a hub that ends leaves its channel half open.
 *
 * Destroying it ends the connection; the end of the channel or the connection closes it, without an error: a client learns of the end, and
 * asks anew.
 */
export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  readonly #carrier: Carrier;

  constructor(channel: ClientChannel, carrier: Carrier) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    this.#carrier = carrier;
    let hasEnded = false;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => {
      hasEnded = true;
      this.push(null);
    });
    // After an end, what is not read yet is read first; then it closes by itself.
    channel.on('close', () => {
      if (!hasEnded) this.destroy();
    });
    carrier.onLost(() => this.destroy());
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, done);
  }

  /** Not waited for: a channel that is gone never says that it is done. */
  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#carrier.close();
    done(error);
  }
}
