import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { connectToHub } from '../../../src/client/connect.ts';
import { LARGEST_MESSAGE_BYTES } from '../../../src/hub/rpc/frame-guard.ts';
import { MOST_OPEN_REQUESTS, MOST_UNREAD_MESSAGES } from '../../../src/hub/rpc/message-streams.ts';
import { SILENT_LOG } from '../../../src/hub/rpc/rpc-log.ts';
import { startRpcServer } from '../../../src/hub/rpc/server.ts';
import { SocketPlaceRefused } from '../../../src/hub/rpc/socket-place.ts';
import { Announcer, privateFolder, sampleStatus, serviceWith, startFakeHub, until } from './fake-hub.ts';

const frame = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const call = (id: unknown, method: string, params?: unknown): string =>
  frame(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
const HELLO = call(1, 'hub/hello', { protocol: 1, client: 'test', version: '1' });

/** A client that can say anything. */
class RawClient {
  readonly socket: Socket;
  received = '';
  closed = false;

  constructor(socketPath: string) {
    this.socket = connect(socketPath);
    this.socket.on('data', (data) => (this.received += data.toString()));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }

  /** The messages received so far. */
  get messages(): { id?: unknown; result?: unknown; error?: { code: number; data: { code: string; next: string } } }[] {
    return this.received
      .split(/Content-Length: \d+\r\n\r\n/)
      .slice(1)
      .map((body) => JSON.parse(body) as object);
  }

  answer(id: unknown): Promise<{ result?: unknown; error?: { code: number; data: { code: string; next: string } } }> {
    return until(`an answer to ${String(id)}`, () => this.messages.some((message) => message.id === id)).then(() => {
      const found = this.messages.find((message) => message.id === id);
      assert.ok(found);
      return found;
    });
  }
}

describe('the RPC server', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;
  let hub: Awaited<ReturnType<typeof startFakeHub>>;
  const clients: RawClient[] = [];
  const raw = (): RawClient => {
    const client = new RawClient(hub.socketPath);
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    folder = await privateFolder();
    hub = await startFakeHub(folder.path);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy();
    await hub.server.close();
    await folder.remove();
  });

  /** The promise behind every hostile case: somebody else notices nothing. */
  const othersAreFine = async (): Promise<void> => {
    const client = await connectToHub(hub.socketPath);
    assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
    client.close();
  };

  it('lets only this user reach the socket', async () => {
    assert.equal((await lstat(hub.socketPath)).mode & 0o777, 0o600);
  });

  it('answers nothing before the handshake', async () => {
    const client = raw();
    client.socket.write(call(7, 'hub/status'));
    assert.equal((await client.answer(7)).error?.data.code, 'handshake-required');
    client.socket.write(HELLO + call(8, 'hub/status'));
    assert.deepEqual((await client.answer(8)).result, sampleStatus());
  });

  it('tells a client of another protocol version which side to upgrade', async () => {
    const client = raw();
    client.socket.write(call(1, 'hub/hello', { protocol: 99, client: 'test', version: '1' }) + call(2, 'hub/status'));
    const { error } = await client.answer(1);
    assert.equal(error?.data.code, 'protocol-mismatch');
    assert.match(error.data.next, /Upgrade the hub/);
    assert.equal((await client.answer(2)).error?.data.code, 'handshake-required');
  });

  it('refuses unknown methods, also names that every object has', async () => {
    const client = raw();
    client.socket.write(HELLO + call(2, 'hub/nothing') + call(3, 'constructor') + call(4, '__proto__'));
    for (const id of [2, 3, 4]) assert.equal((await client.answer(id)).error?.code, -32601);
  });

  it('refuses wrong, missing, unknown and positional parameters before the service sees them', async () => {
    const client = raw();
    const wrong: unknown[] = [
      { timeoutMs: 'x' },
      {},
      { timeoutMs: 1, extra: 1 },
      [1],
      { timeoutMs: -1 },
      { timeoutMs: 1e300 },
    ];
    client.socket.write(HELLO + wrong.map((params, index) => call(10 + index, 'hub/wait', params)).join(''));
    for (const index of wrong.keys())
      assert.equal((await client.answer(10 + index)).error?.data.code, 'invalid-params');
  });

  it('reports an unexpected failure of the service as internal and goes on', async () => {
    await hub.server.close();
    hub = await startFakeHub(folder.path, { 'machines/list': () => Promise.reject(new TypeError('boom')) });
    const client = raw();
    client.socket.write(HELLO + call(2, 'machines/list') + call(3, 'hub/status'));
    assert.equal((await client.answer(2)).error?.data.code, 'internal');
    assert.ok((await client.answer(3)).result);
  });

  const hostile: [string, string | Buffer][] = [
    ['noise', Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10])],
    ['a header without an end', 'X'.repeat(5000)],
    ['no length', 'Content-Type: x\r\n\r\n{}'],
    ['a negative length', 'Content-Length: -1\r\n\r\n{}'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
    ['a length over the limit', `Content-Length: ${LARGEST_MESSAGE_BYTES + 1}\r\n\r\n`],
    ['a body that is not JSON', frame('{"jsonrpc":')],
    ['a body that is not UTF-8', Buffer.concat([Buffer.from('Content-Length: 2\r\n\r\n'), Buffer.from([0xff, 0xfe])])],
    ['JSON that is no message', frame('[1,2,3]')],
    ['null', frame('null')],
    ['an id that is an object', call({ a: 1 }, 'hub/status')],
    ['an id that is null', call(null, 'hub/status')],
    ['a cancellation without parameters', frame('{"jsonrpc":"2.0","method":"$/cancelRequest"}')],
    ['an answer nobody asked for', frame('{"jsonrpc":"2.0","id":1,"result":{}}')],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['nesting that overflows the parser', frame('['.repeat(200_000))],
  ];
  for (const [name, bytes] of hostile) {
    it(`ends the connection that sends ${name}, and only that one`, async () => {
      const client = raw();
      client.socket.write(bytes);
      await until('the connection is closed', () => client.closed);
      await othersAreFine();
    });
  }

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.constant(Buffer.from(HELLO)))),
        async (chunks) => {
          const client = raw();
          for (const chunk of chunks) client.socket.write(chunk);
          client.socket.end();
          await until('the connection is closed', () => client.closed);
        },
      ),
      { numRuns: 50 },
    );
    await othersAreFine();
  });

  it('understands messages however they are cut into packets', async () => {
    const client = raw();
    for (const byte of Buffer.from(HELLO + call(2, 'hub/status'))) client.socket.write(Buffer.from([byte]));
    assert.deepEqual((await client.answer(2)).result, sampleStatus());
  });

  it('takes a message of nearly the largest size', async () => {
    await hub.server.close();
    let got = 0;
    hub = await startFakeHub(folder.path, {
      'conflicts/resolve': (params) => {
        got = 'merged' in params ? params.merged.data.length : 0;
        return Promise.reject(new Error('seen'));
      },
    });
    const client = raw();
    const data = 'x'.repeat(LARGEST_MESSAGE_BYTES - 1000);
    client.socket.write(HELLO + call(2, 'conflicts/resolve', { id: 1, merged: { encoding: 'utf8', data } }));
    await client.answer(2);
    assert.equal(got, data.length);
  });

  it('aborts the wait of a client that vanishes mid-answer', async () => {
    await hub.server.close();
    let signal: AbortSignal | undefined;
    hub = await startFakeHub(folder.path, {
      'hub/wait': (_params, request) => {
        signal = request.signal;
        return new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(new Error('gone')));
        });
      },
    });
    const client = raw();
    client.socket.write(HELLO + call(2, 'hub/wait', { timeoutMs: null }));
    await until('the wait began', () => signal !== undefined);
    client.socket.destroy();
    await until('the wait was aborted', () => signal?.aborted === true);
    await until('nothing of the client is left', () => hub.server.clients === 0 && hub.announcer.listeners === 0);
    await othersAreFine();
  });

  it('ends a client that floods it with requests', async () => {
    await hub.server.close();
    hub = await startFakeHub(folder.path, { 'hub/wait': () => new Promise<never>(() => undefined) });
    const client = raw();
    const requests = Array.from({ length: MOST_OPEN_REQUESTS + 1 }, (_, index) =>
      call(10 + index, 'hub/wait', { timeoutMs: null }),
    );
    client.socket.write(HELLO + requests.join(''));
    await until('the connection is closed', () => client.closed);
    await othersAreFine();
  });

  it('ends a client that does not read, and others still get every notification', async () => {
    const stalled = raw();
    stalled.socket.write(HELLO);
    await stalled.answer(1);
    stalled.socket.pause();
    const reader = await connectToHub(hub.socketPath);
    let got = 0;
    reader.onNotification('hub/stopping', () => (got += 1));
    await until('both listen', () => hub.announcer.listeners === 2);
    const reason = 'x'.repeat(10_000);
    // In portions that a client that reads can take.
    const portion = MOST_UNREAD_MESSAGES / 8;
    for (let told = portion; told <= portion * 12; told += portion) {
      for (let one = 0; one < portion; one += 1) hub.announcer.tell({ method: 'hub/stopping', params: { reason } });
      await until('the reader has them', () => got === told);
    }
    await until('only the reader is left', () => hub.announcer.listeners === 1);
    reader.close();
  });

  it('tells notifications to those that said hello, and to nobody else', async () => {
    const silent = raw();
    const client = raw();
    client.socket.write(HELLO);
    await client.answer(1);
    await until('one listens', () => hub.announcer.listeners === 1);
    hub.announcer.tell({ method: 'hub/stopping', params: { reason: 'test' } });
    await until('it arrived', () => client.received.includes('hub/stopping'));
    assert.equal(silent.received, '');
  });

  it('lets an answer arrive that was given just before it closes, then leaves no socket behind', async () => {
    await hub.server.close();
    let closing: Promise<void> | undefined;
    hub = await startFakeHub(folder.path, {
      'hub/shutdown': () => {
        closing = hub.server.close();
        return Promise.resolve({ pid: 4711 });
      },
    });
    const client = await connectToHub(hub.socketPath);
    assert.deepEqual(await client.request('hub/shutdown', {}), { pid: 4711 });
    await closing;
    await assert.rejects(lstat(hub.socketPath), { code: 'ENOENT' });
    hub = await startFakeHub(folder.path);
  });

  describe('refuses a place', () => {
    const start = (socketPath: string): Promise<unknown> =>
      startRpcServer({ socketPath, service: serviceWith({}), notifications: new Announcer(), log: SILENT_LOG });

    it('that others can write to, unless they cannot move our files there', async () => {
      const open = join(folder.path, 'open');
      await mkdir(open);
      await chmod(open, 0o777);
      await assert.rejects(start(join(open, 's')), SocketPlaceRefused);
      for (const mode of [0o755, 0o1777]) {
        await chmod(open, mode);
        const server = await startRpcServer({
          socketPath: join(open, 's'),
          service: serviceWith({}),
          notifications: new Announcer(),
          log: SILENT_LOG,
        });
        assert.equal((await lstat(join(open, 's'))).mode & 0o777, 0o600);
        await server.close();
      }
    });

    it('behind a symlink', async () => {
      const real = join(folder.path, 'real');
      await mkdir(real, { mode: 0o700 });
      await symlink(real, join(folder.path, 'link'));
      await assert.rejects(start(join(folder.path, 'link', 's')), SocketPlaceRefused);
    });

    it('with a path that the system would cut off', async () => {
      await assert.rejects(start(join(folder.path, 'x'.repeat(100))), /more than 103 bytes/);
    });

    it('where something is, and leaves it alone', async () => {
      const file = join(folder.path, 'file');
      await writeFile(file, 'mine');
      await assert.rejects(start(file), SocketPlaceRefused);
      await assert.rejects(start(hub.socketPath), SocketPlaceRefused);
      await othersAreFine();
    });
  });
});
