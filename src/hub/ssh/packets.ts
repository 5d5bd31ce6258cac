import { createSecretKey } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Client } from 'ssh2';

/**
 * What is written in one turn of the event loop leaves in one system call. ssh2 writes every packet by itself, and a burst of SFTP requests is
 * many small packets.
 */
export function sendTogether(socket: Socket): void {
  const write = socket.write.bind(socket) as (...words: unknown[]) => boolean;
  let isHeld = false;
  socket.write = (...words: unknown[]): boolean => {
    if (!isHeld) {
      isHeld = true;
      socket.cork();
      process.nextTick(() => {
        isHeld = false;
        socket.uncork();
      });
    }
    return write(...words);
  };
}

/**
 * Gives the ciphers of a connection their keys as key objects. ssh2 makes a new cipher for every packet of AES-GCM, and from Node 24 on that takes 24 µs
 * with the bytes of a key and 5 with an object. To be called after every key exchange; where ssh2 keeps its keys elsewhere nothing
 * is changed.
 */
export function useKeyObjects(client: Client): void {
  const { _protocol: protocol } = client as unknown as { readonly _protocol?: Record<string, unknown> };
  for (const [part, name] of [
    ['_cipher', '_encKey'],
    ['_decipher', '_decipherKey'],
  ] as const) {
    const cipher = protocol?.[part];
    if (typeof cipher !== 'object' || cipher === null) continue;
    const keyed = cipher as Record<string, unknown>;
    // Streams (CTR, CBC) and ChaCha have none under this name, or take it once.
    const isGcm = cipher.constructor.name.startsWith('AESGCM');
    if (isGcm && Buffer.isBuffer(keyed[name])) keyed[name] = createSecretKey(keyed[name]);
  }
}

/**
 * Makes what is sent after the end of a compressed connection go nowhere, as it does without compression. ssh2 closes its deflater before it
 * tells that the connection is gone, and whatever is written until everybody heard it would throw. To be called after every key
 * exchange and sign-in, which make a new deflater; where ssh2 keeps it elsewhere nothing is changed.
 */
export function endSilently(client: Client): void {
  const { _protocol: protocol } = client as unknown as {
    readonly _protocol?: { readonly _packetRW?: { readonly write?: Partial<PacketWriter> } };
  };
  const writer = protocol?._packetRW?.write;
  if (writer?.cleanup === undefined || silent.has(writer)) return;
  silent.add(writer);
  const cleanup = writer.cleanup.bind(writer);
  writer.cleanup = () => {
    cleanup();
    // The cipher, which is over as well, drops it.
    writer.finalize = (packet) => packet;
  };
}

interface PacketWriter {
  cleanup(): void;
  finalize(packet: Buffer): Buffer;
}

const silent = new WeakSet<Partial<PacketWriter>>();
