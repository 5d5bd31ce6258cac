import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connectSsh } from '../../../src/hub/ssh/connect.ts';
import type { ConnectOptions } from '../../../src/hub/ssh/connect.ts';
import type { EstablishedConnection } from '../../../src/hub/ssh/established.ts';
import { HostKeyFailure } from '../../../src/hub/ssh/failures.ts';
import { resolveSshSettings } from '../../../src/hub/ssh/settings.ts';
import { freePort, signal } from '../../fixtures/ssh/sshd.ts';
import type { Sshd } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';
import { SshGround, failureOf, hostBlock, signInsAt } from './ground.ts';

/** Where a connection comes from that is asked for something. */
async function realPath(connection: EstablishedConnection): Promise<string> {
  const sftp = await connection.openSftp();
  return new Promise((resolve, reject) => sftp.realpath('.', (error, path) => (error ? reject(error) : resolve(path))));
}

describe('a server that is not there', () => {
  let ground: SshGround;
  let listener: Server | null = null;
  const sockets: Socket[] = [];
  before(async () => {
    ground = await SshGround.make();
  });
  after(() => ground.end());
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    listener?.close();
    listener = null;
  });

  async function listen(onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    listener = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  async function attempt(port: number, options: ConnectOptions = {}, host = '127.0.0.1') {
    const identityFile = await ground.key('key');
    return connectSsh(await resolveSshSettings({ host, port, identityFile }), options);
  }

  it('is unreachable where nobody listens', async () => {
    const port = await freePort();
    const failure = await failureOf(attempt(port), 'unreachable');
    assert.match(failure.message, new RegExp(`127\\.0\\.0\\.1:${port}: nothing listens there .*Nothing was changed`));
  });

  it('is unreachable where its name is not known', async () => {
    const failure = await failureOf(attempt(22, {}, 'no-such-host.invalid'), 'unreachable');
    assert.match(failure.message, /no-such-host\.invalid is not known/);
  });

  it('is given up when it accepts and never speaks', async () => {
    let gone = false;
    const port = await listen((socket) => socket.on('close', () => (gone = true)).resume());
    const clock = new ManualClock();
    const failing = failureOf(attempt(port, { clock }), 'unreachable');
    // Its first words tell that the connection stands.
    await until('somebody speaks', () => (sockets[0]?.bytesRead ?? 0) > 0);
    assert.equal(clock.armed, 1);
    clock.advance(15_000);
    assert.match((await failing).message, /no connection within 15 s \(waiting for it to speak SSH/);
    await until('the socket is gone', () => gone);
  });

  it('is given up after the time that ssh_config allows', async () => {
    const port = await listen((socket) => socket.resume());
    const configFile = await ground.file('config', 'Host *', '  ConnectTimeout 3');
    const clock = new ManualClock();
    const failing = failureOf(
      connectSsh(await resolveSshSettings({ host: '127.0.0.1', port }, { configFile }), { clock }),
      'unreachable',
    );
    await until('somebody speaks', () => (sockets[0]?.bytesRead ?? 0) > 0);
    clock.advance(3000);
    assert.match((await failing).message, /within 3 s/);
  });

  it('is given up at once when the attempt is aborted', async () => {
    let gone = false;
    const port = await listen((socket) => socket.on('close', () => (gone = true)).resume());
    const abort = new AbortController();
    const clock = new ManualClock();
    const attempted = attempt(port, { signal: abort.signal, clock }).then(
      () => null,
      (reason: unknown) => reason,
    );
    await until('somebody speaks', () => (sockets[0]?.bytesRead ?? 0) > 0);
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    assert.equal(await attempted, reason);
    assert.equal(clock.armed, 0, 'no timer is left');
    await until('the socket is gone', () => gone);
    await assert.rejects(
      attempt(port, { signal: abort.signal }),
      reason,
      'an attempt that is aborted before it begins',
    );
  });

  for (const [what, speak] of [
    ['HTTP', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
    ['nothing but an end', (socket: Socket) => socket.end()],
    ['the wrong version', (socket: Socket) => socket.write('SSH-1.5-old\r\n')],
    [
      'rubbish behind its name',
      (socket: Socket) => socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(4096, 0xff)])),
    ],
    [
      'a disconnect with control characters',
      (socket: Socket) =>
        socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), disconnect('go \u001b[31maway\u0007')])),
    ],
  ] as const) {
    it(`is unreachable when it speaks ${what}`, async () => {
      const port = await listen((socket) => void speak(socket.resume()));
      const failure = await failureOf(attempt(port), 'unreachable');
      assert.match(failure.reason, new RegExp(`127\\.0\\.0\\.1:${port}`));
      // eslint-disable-next-line no-control-regex -- that there is none is the promise
      assert.doesNotMatch(failure.message, /[\u0000-\u001f]/);
      if (what.startsWith('a disconnect')) assert.match(failure.reason, /go away/);
    });
  }
});

/** An SSH_MSG_DISCONNECT before any encryption. */
function disconnect(text: string): Buffer {
  const words = Buffer.from(text);
  const head = Buffer.alloc(9);
  head[0] = 1;
  head.writeUInt32BE(2, 1);
  head.writeUInt32BE(words.length, 5);
  const payload = Buffer.concat([head, words, Buffer.alloc(4)]);
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const length = Buffer.alloc(5);
  length.writeUInt32BE(payload.length + padding + 1, 0);
  length[4] = padding;
  return Buffer.concat([length, payload, Buffer.alloc(padding)]);
}

describe('a server behind another one', () => {
  let ground: SshGround;
  let gate: Sshd;
  let inner: Sshd;
  before(async () => {
    ground = await SshGround.make();
    [gate, inner] = [await ground.serve('gate'), await ground.serve('inner')];
  });
  after(() => ground.end());
  beforeEach(async () => {
    await gate.trustHostKey();
    await inner.trustHostKey();
  });

  async function connect(...more: readonly string[]): Promise<EstablishedConnection> {
    const configFile = await ground.file('config', ...hostBlock('gate', gate), ...more);
    return ground.keep(await connectSsh(await resolveSshSettings({ host: 'inner' }, { configFile })));
  }

  const throughGate = () => connect(...hostBlock('inner', inner, 'ProxyJump gate'));

  it('is reached through a jump host, and ends with it', async () => {
    const connection = await throughGate();
    assert.match(await realPath(connection), /inner\/home$/);
    assert.ok(connection.bytes.received > 0 && connection.bytes.sent > 0);
    assert.ok((await gate.sessions()).length > 0);
    connection.close();
    await until(
      'both sessions ended',
      async () => [...(await gate.sessions()), ...(await inner.sessions())].length === 0,
    );
  });

  it('is reached through two of them', async () => {
    const middle = await ground.serve('middle');
    const connection = await connect(
      ...hostBlock('middle', middle),
      ...hostBlock('inner', inner, 'ProxyJump gate,middle'),
    );
    assert.match(await realPath(connection), /inner\/home$/);
    const host = `from 127.0.0.1 port`;
    assert.ok(gate.log.includes(host) && signInsAt(gate) > 0 && signInsAt(middle) > 0);
    assert.match(gate.log, new RegExp(`target ${middle.address} port ${middle.port}`));
  });

  it('is lost when the jump host is', async () => {
    const connection = await throughGate();
    const sftp = await connection.openSftp();
    const reasons: Error[] = [];
    connection.onLost((reason) => reasons.push(reason));
    for (const pid of await gate.sessions()) signal(pid, 'SIGKILL');
    await until('it is lost', () => reasons.length > 0);
    assert.match(reasons[0]?.message ?? '', new RegExp(`:${inner.port} is gone`));
    await assert.rejects(
      new Promise((resolve, reject) => sftp.stat('.', (error) => (error ? reject(error) : resolve(null)))),
    );
    await until('nothing is left there', async () => (await inner.sessions()).length === 0);
  });

  it('takes the way to it along when it is lost', async () => {
    const connection = await throughGate();
    let isLost = false;
    connection.onLost(() => (isLost = true));
    for (const pid of await inner.sessions()) signal(pid, 'SIGKILL');
    await until('it is lost', () => isLost);
    await until('the jump host is left', async () => (await gate.sessions()).length === 0);
  });

  it('has its own host key checked, and so has the jump host', async () => {
    for (const [wrong, asked] of [
      [gate, [gate, inner]],
      [inner, [inner]],
    ] as const) {
      await writeFile(wrong.knownHostsFile, '');
      const before = asked.map(signInsAt);
      const failure = await failureOf(throughGate(), 'host-key-unknown');
      assert.ok(failure instanceof HostKeyFailure && failure.message.includes(`:${wrong.port}`));
      assert.deepEqual(asked.map(signInsAt), before);
      await wrong.trustHostKey();
    }
    await until('nothing is left there', async () => (await gate.sessions()).length === 0);
  });

  it('is unreachable when the jump host cannot reach it', async () => {
    const port = await freePort();
    const lines = hostBlock('inner', inner, 'ProxyJump gate').map((line) =>
      line.replace(String(inner.port), String(port)),
    );
    const failure = await failureOf(connect(...lines), 'unreachable');
    assert.match(
      failure.message,
      new RegExp(`connecting to 127\\.0\\.0\\.1:${port} from root@127\\.0\\.0\\.1:${gate.port}`),
    );
    await until('nothing is left there', async () => (await gate.sessions()).length === 0);
  });

  it('is reached through a command, which ends with the connection', async () => {
    const pidFile = await ground.file('pid');
    const script = await ground.file(
      'gateway',
      '#!/bin/sh',
      `echo $$ > '${pidFile}'`,
      `exec '${process.execPath}' -e 'const s = require("net").connect(process.argv[2], process.argv[1]); process.stdin.pipe(s).pipe(process.stdout)' "$1" "$2"`,
    );
    await chmod(script, 0o700);
    const connection = await connect(...hostBlock('inner', inner, `ProxyCommand ${script} %h %p`));
    assert.match(await realPath(connection), /inner\/home$/);
    assert.ok(connection.bytes.received > 0 && connection.bytes.sent > 0);
    const pid = Number(await readFile(pidFile, 'utf8'));
    assert.ok(isThere(pid));
    connection.close();
    await until('the command ended', () => !isThere(pid));
  });

  it('is lost when the command ends', async () => {
    const pidFile = await ground.file('pid');
    const script = await ground.file(
      'gateway',
      '#!/bin/sh',
      `echo $$ > '${pidFile}'`,
      `exec '${process.execPath}' -e 'const s = require("net").connect(process.argv[2], process.argv[1]); process.stdin.pipe(s).pipe(process.stdout)' "$1" "$2"`,
    );
    await chmod(script, 0o700);
    const connection = await connect(...hostBlock('inner', inner, `ProxyCommand ${script} %h %p`));
    let isLost = false;
    connection.onLost(() => (isLost = true));
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
    await until('it is lost', () => isLost);
  });

  it('is unreachable with the words of a command that fails', async () => {
    const failure = await failureOf(
      connect(...hostBlock('inner', inner, `ProxyCommand sh -c 'echo no such gateway >&2; exit 3'`)),
      'unreachable',
    );
    assert.match(failure.message, /no such gateway/);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
