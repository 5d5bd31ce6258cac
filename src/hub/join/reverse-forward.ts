import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { delay, type Clock } from '../ports/clock.ts';
import type { EstablishedConnection } from '../ssh/established.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A connection that held this long was a good one: the next wait is short again. */
const GOOD_MS = 60_000;

/** What keeps a way open. */
export interface ReverseForwardOptions {
  /** Makes a connection to the hub. */
  readonly open: () => Promise<EstablishedConnection>;
  /** Port of the hub's loopback that leads here. */
  readonly port: number;
  /** Port of this computer's own SSH server. */
  readonly sshdPort: number;
  readonly clock: Clock;
  /** Ends it all. */
  readonly signal: AbortSignal;
  /** Told when the way is open, each time. */
  readonly onOpen: (connection: EstablishedConnection) => Promise<void> | void;
  /** Told that it is closed, or could not be opened, and when it is tried again. */
  readonly onClosed: (reason: Error, retryMs: number) => void;
}

/**
 * Has the hub's machine listen on a port of its loopback, and brings who connects there to this computer's SSH server, until `signal`
 * aborts. A connection that is lost is made anew after 1, 2, 4 ... 60 s, with the same port: the hub's configuration names it.
 * @throws what the first try failed with, and what `onOpen` does: a user waits for these.
 */
export async function keepReverseForward(options: ReverseForwardOptions): Promise<void> {
  const { clock, signal } = options;
  let waitMs = FIRST_WAIT_MS;
  let isFirst = true;
  while (!signal.aborted) {
    const begun = clock.now();
    let reason: Error;
    try {
      reason = await openOnce(options);
      isFirst = false;
      if (clock.now() - begun >= GOOD_MS) waitMs = FIRST_WAIT_MS;
    } catch (error) {
      if (signal.aborted) return;
      if (isFirst) throw error;
      reason = error instanceof Error ? error : new Error(String(error));
    }
    if (signal.aborted) return;
    options.onClosed(reason, waitMs);
    await delay(clock, waitMs, signal);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }
}

/** @returns why it is over; when `signal` aborted, any reason. */
async function openOnce(options: ReverseForwardOptions): Promise<Error> {
  const { port, sshdPort, signal, onOpen } = options;
  const connection = await options.open();
  const streams = new Set<Duplex>();
  try {
    const over = new Promise<Error>((resolve) => {
      connection.onLost(resolve);
      signal.addEventListener('abort', () => resolve(new Error('ended by the user')), { once: true });
    });
    const listening = await connection.listenThere('127.0.0.1', port, (stream) => bring(stream, sshdPort, streams));
    try {
      // What is asked of a connection that is gone may hang.
      await Promise.race([onOpen(connection), over]);
      return await over;
    } finally {
      await listening.end();
    }
  } finally {
    for (const stream of streams) stream.destroy();
    connection.close();
  }
}

/** Both directions, until either side ends. */
function bring(stream: Duplex, sshdPort: number, streams: Set<Duplex>): void {
  const socket = connect({ host: '127.0.0.1', port: sshdPort, noDelay: true });
  streams.add(stream);
  const end = (): void => {
    streams.delete(stream);
    stream.destroy();
    socket.destroy();
  };
  // The hub sees the end of its connection, which says all there is to say.
  socket.on('error', end);
  stream.on('error', end);
  socket.on('close', end);
  stream.on('close', end);
  stream.pipe(socket).pipe(stream);
}
