import assert from 'node:assert/strict';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FaultyLink, type FaultyLinkOptions } from '../../fixtures/ssh/faulty-link.ts';
import { until } from '../../black-box/ground.ts';

describe('the faulty link of the tests', () => {
  let server: Server;
  /** The server's ends, in the order of their connections. */
  let ends: End[];
  let link: FaultyLink;

  beforeEach(async () => {
    ends = [];
    server = createServer({ allowHalfOpen: true }, (socket) => ends.push(new End(socket)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await link.close();
    for (const end of ends) end.socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function open(options: Omit<FaultyLinkOptions, 'to'> = {}): Promise<void> {
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    link = await FaultyLink.open({ to: { host: '127.0.0.1', port: address.port }, ...options });
  }

  /** A client and the end that the server has of it. */
  async function pair(): Promise<[End, End]> {
    const client = new End(connect({ port: link.port, host: link.host, allowHalfOpen: true }));
    const before = ends.length;
    await until('the server has the connection', () => ends.length > before);
    return [client, ends[before]!];
  }

  it('hands on bytes and ends as they are, in both directions, and counts them', async () => {
    await open();
    const [client, end] = await pair();
    const much = noise(3_000_000);
    client.socket.end(much);
    await until('the server has all', () => end.ended && end.bytes.equals(much));
    assert.equal(client.closed, false, 'the other direction is open still');
    end.socket.end('answer');
    await until('the client has the answer', () => client.closed && client.text === 'answer');
    assert.deepEqual(link.passed, { toServer: much.length, toClient: 6 });
    await until('nothing is left', () => link.connections === 0);
  });

  it('takes its latency once in each direction, for the connections of any number of pieces', async () => {
    await open({ latencyMs: 100 });
    const [client, end] = await pair();
    end.socket.on('data', (chunk: Buffer) => end.socket.write(chunk));
    const much = noise(2_000_000);
    const begun = performance.now();
    for (let at = 0; at < much.length; at += 10_000) client.socket.write(much.subarray(at, at + 10_000));
    await until('all came back', () => client.bytes.length === much.length);
    const took = performance.now() - begun;
    assert.ok(client.bytes.equals(much));
    // 200 pieces, one after the other, would take 40 s.
    assert.ok(took >= 200 && took < 20_000, `${took} ms`);
  });

  it('keeps the order of what it delays by chance', async () => {
    let turn = 0;
    await open({ latencyMs: 5, jitterMs: 40, random: () => ((turn += 7) % 10) / 10 });
    const [client, end] = await pair();
    const words: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      words.push(`${index},`);
      client.socket.write(words.at(-1)!);
      await until('the piece is under way', () => turn >= 7 * (index + 1));
    }
    await until('all is there', () => end.text === words.join(''));
  });

  it('lets nothing pass while it stalls, breaks nothing, and loses nothing of it', async () => {
    await open();
    const [client, end] = await pair();
    client.socket.write('before ');
    await until('the first words are there', () => end.text === 'before ');
    link.stall();
    const later = new End(connect({ port: link.port, host: link.host }));
    await until('a new connection is let in', () => link.accepted === 2 && ends.length === 2);
    client.socket.write('after');
    end.socket.write('back');
    later.socket.write('later');
    // What has passed on another link since: time enough for these, were they not held.
    const other = await FaultyLink.open({
      to: { host: '127.0.0.1', port: (server.address() as { port: number }).port },
    });
    const probe = new End(connect({ port: other.port, host: other.host }));
    probe.socket.write('probe');
    await until('another link passes', () => ends[2]?.text === 'probe');
    await other.close();
    assert.deepEqual([end.text, client.text, ends[1]!.text], ['before ', '', '']);
    assert.deepEqual([client.closed, end.closed, later.closed], [false, false, false]);
    link.go();
    await until(
      'all is there',
      () => end.text === 'before after' && client.text === 'back' && ends[1]!.text === 'later',
    );
  });

  it('cuts every connection, and lets new ones in', async () => {
    await open();
    const all = [...(await pair()), ...(await pair())];
    link.cut();
    await until('all are broken', () => all.every(({ closed }) => closed));
    assert.equal(link.connections, 0);
    const [client, end] = await pair();
    client.socket.write('again');
    await until('the new one works', () => end.text === 'again');
  });

  for (const direction of ['toServer', 'toClient'] as const) {
    it(`cuts in the middle of a stream after exactly so many bytes (${direction})`, async () => {
      for (const bytes of [1, 999, 70_001]) {
        await open();
        const [client, end] = await pair();
        const [from, to] = direction === 'toServer' ? [client, end] : [end, client];
        from.socket.write('x');
        await until('the first byte is there', () => to.bytes.length === 1);
        const cut = link.cutAfter(bytes, direction);
        from.socket.write(noise(300_000));
        await cut;
        await until('both sides know', () => from.gone && to.gone);
        assert.equal(to.bytes.length, 1 + bytes);
        assert.equal(link.passed[direction], 1 + bytes);
        const [again, other] = await pair();
        again.socket.write('again');
        await until('a new one works', () => other.text === 'again');
        await link.close();
      }
      await open();
    });
  }

  it('tells when bytes are under way, before the other side has them', async () => {
    await open({ latencyMs: 50 });
    const [client, end] = await pair();
    const taken = link.taken(10, 'toServer');
    client.socket.write('0123456789');
    await taken;
    assert.equal(end.text, '');
    await until('they arrive', () => end.text === '0123456789');
  });

  it('resets whoever comes while it refuses', async () => {
    await open();
    const [client] = await pair();
    link.refuse(true);
    const refused = new End(connect({ port: link.port, host: link.host }));
    await until('the new one is reset', () => refused.closed);
    assert.equal(client.closed, false);
    assert.equal(ends.length, 1);
    link.refuse(false);
    await pair();
  });
});

/** One end of a connection, and what came in there. */
class End {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  ended = false;
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    // A broken connection is what these tests are about; `close` follows.
    socket.on('error', () => socket.destroy());
  }

  /** Broken, or ended by the other side. */
  get gone(): boolean {
    return this.ended || this.closed;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

/** Bytes of which no two stretches are equal. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}
