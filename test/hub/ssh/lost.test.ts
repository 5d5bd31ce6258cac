import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import { connectSsh } from '../../../src/hub/ssh/connect.ts';
import type { ConnectOptions } from '../../../src/hub/ssh/connect.ts';
import type { EstablishedConnection } from '../../../src/hub/ssh/established.ts';
import { SshFailure } from '../../../src/hub/ssh/failures.ts';
import { resolveSshSettings } from '../../../src/hub/ssh/settings.ts';
import { signal } from '../../fixtures/ssh/sshd.ts';
import type { Sshd } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { SshGround, failureOf, run } from './ground.ts';

const SILENT_AFTER = { everyMs: 200, count: 2 };
const CONNECT = new URL('../../../src/hub/ssh/connect.ts', import.meta.url).pathname;

/** The answer to one request, or its failure. */
type Answer = { readonly error: Error | null };

function ask(send: (callback: (error?: Error | null) => void) => unknown): Promise<Answer> {
  return new Promise((resolve) => send((error) => resolve({ error: error ?? null })));
}

async function outputOf(channel: ClientChannel): Promise<string> {
  let text = '';
  channel.on('data', (bytes: Buffer) => (text += bytes.toString()));
  await new Promise((resolve) => channel.once('close', resolve));
  return text;
}

describe('a connection', () => {
  let ground: SshGround;
  let server: Sshd;
  beforeEach(async () => {
    ground = await SshGround.make();
    server = await ground.serve('rog');
  });
  afterEach(async () => {
    // An SFTP server that waits for a writer of the pipe outlives its session: whoever opens it for both lets it go.
    if (existsSync(pipe())) closeSync(openSync(pipe(), constants.O_RDWR | constants.O_NONBLOCK));
    await ground.end();
  });

  const pipe = () => join(ground.root, 'rog', 'home', 'pipe');

  async function connect(options: ConnectOptions = {}, to = server): Promise<EstablishedConnection> {
    return ground.keep(await connectSsh(await resolveSshSettings(to.entry), options));
  }

  function lostReasons(connection: EstablishedConnection): Error[] {
    const reasons: Error[] = [];
    connection.onLost((reason) => reasons.push(reason));
    return reasons;
  }

  /** A request that the server cannot answer: it waits for a writer that never comes. */
  async function waitingRequest(sftp: SFTPWrapper): Promise<{ readonly answer: Promise<Answer> }> {
    await run('mkfifo', [pipe()]);
    return { answer: ask((callback) => sftp.open('pipe', 'r', callback)) };
  }

  async function assertOver(connection: EstablishedConnection, sftp: SFTPWrapper): Promise<void> {
    const late: readonly Promise<Answer>[] = [
      ask((callback) => sftp.stat('.', callback)),
      ask((callback) => sftp.readdir('.', callback)),
      ask((callback) => sftp.write(Buffer.alloc(4), Buffer.from('x'), 0, 1, 0, callback)),
      ask((callback) => sftp.ext_openssh_rename('a', 'b', callback)),
      ask((callback) => sftp.readFile('a', callback)),
    ];
    for (const { error } of await Promise.all(late)) assert.ok(SshFailure.is(error, 'lost'), String(error));
    await failureOf(connection.exec('true'), 'lost');
    await failureOf(connection.openSftp(), 'lost');
    await failureOf(connection.forward('127.0.0.1', 22), 'lost');
  }

  it('carries SFTP and commands at the same time', async () => {
    const connection = await connect();
    const [sftp, channel] = await Promise.all([connection.openSftp(), connection.exec('echo here; pwd')]);
    const { error } = await ask((callback) => sftp.stat('.', callback));
    assert.equal(error, null);
    assert.match(await outputOf(channel), /here/);
    assert.ok(connection.bytes.received > 1000 && connection.bytes.sent > 1000);
  });

  it('whose session is killed is lost once, and everything that is under way fails', async () => {
    const connection = await connect();
    const sftp = await connection.openSftp();
    const { answer: waiting } = await waitingRequest(sftp);
    const channel = await connection.exec('exec cat');
    const ended = outputOf(channel);
    const reasons = lostReasons(connection);
    // Pids of the session itself come before those of what it started.
    for (const pid of await server.sessions()) signal(pid, 'SIGKILL');
    const { error } = await waiting;
    assert.ok(error instanceof Error);
    await ended;
    await until('it is told', () => reasons.length > 0);
    assert.ok(SshFailure.is(reasons[0], 'lost'));
    await assertOver(connection, sftp);
    assert.equal(reasons.length, 1);

    const late = lostReasons(connection);
    await until('who asks later is told as well', () => late.length === 1);
    assert.equal(late[0], reasons[0]);
  });

  it('whose other side freezes is lost after the keepalive, and everything that is under way fails', async () => {
    const connection = await connect({ keepalive: SILENT_AFTER });
    const sftp = await connection.openSftp();
    const reasons = lostReasons(connection);
    for (const pid of await server.sessions()) signal(pid, 'SIGSTOP');
    const { error } = await ask((callback) => sftp.stat('.', callback));
    assert.ok(error instanceof Error);
    await until('it is told', () => reasons.length > 0);
    assert.match(reasons[0]?.message ?? '', /Keepalive timeout.*may or may not have taken effect/);
    await assertOver(connection, sftp);
    assert.equal(reasons.length, 1);
  });

  it('that is quiet for longer than the keepalive is not lost', async () => {
    const connection = await connect({ keepalive: SILENT_AFTER });
    const reasons = lostReasons(connection);
    const before = connection.bytes.received;
    // Only the answers to the keepalive, 32 bytes or more each, more of them than may be missing.
    await until('many questions were answered', () => connection.bytes.received - before > 6 * 32);
    assert.deepEqual(reasons, []);
  });

  it('that is being opened a channel on fails that too', async () => {
    const connection = await connect({ keepalive: SILENT_AFTER });
    for (const pid of await server.sessions()) signal(pid, 'SIGSTOP');
    await Promise.all([failureOf(connection.openSftp(), 'lost'), failureOf(connection.exec('true'), 'lost')]);
  });

  it('that was closed ends everything, tells nobody, and leaves nothing there', async () => {
    const connection = await connect();
    const sftp = await connection.openSftp();
    const { answer: waiting } = await waitingRequest(sftp);
    const reasons = lostReasons(connection);
    connection.close();
    connection.close();
    const { error } = await waiting;
    assert.ok(error instanceof Error);
    await assertOver(connection, sftp);
    const late = lostReasons(connection);
    await until('the session ended', () => server.log.includes('Disconnected from user root'));
    assert.deepEqual([...reasons, ...late], []);
  });

  it('whose SFTP server ends goes on, and requests of that channel fail', async () => {
    const connection = await connect();
    const sftp = await connection.openSftp();
    const { answer: waiting } = await waitingRequest(sftp);
    const { stdout } = await run('ps', ['-eo', 'pid=,args=']);
    const sessions = await server.sessions();
    const servers = stdout
      .split('\n')
      .filter((line) => line.includes('sftp-server'))
      .map((line) => Number.parseInt(line, 10))
      .filter((pid) => sessions.includes(pid));
    assert.ok(servers.length > 0);
    for (const pid of servers) signal(pid, 'SIGKILL');
    assert.ok((await waiting).error instanceof Error);
    const { error } = await ask((callback) => sftp.stat('.', callback));
    assert.ok(SshFailure.is(error, 'lost'));
    assert.equal(await outputOf(await connection.exec('printf on')), 'on');
  });

  it('does not keep a process alive once it is closed, also where the other side froze', async () => {
    const settings = JSON.stringify(await resolveSshSettings(server.entry));
    const script = `
      import { connectSsh } from ${JSON.stringify(CONNECT)};
      const connection = await connectSsh(${settings});
      const sftp = await connection.openSftp();
      console.log('ready');
      process.stdin.once('data', () => { connection.close(); process.stdin.destroy(); });`;
    for (const freeze of [false, true]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const exited = new Promise((resolve) => child.once('exit', (code, by) => resolve(code ?? by)));
      await new Promise<void>((resolve) => createInterface({ input: child.stdout }).once('line', () => resolve()));
      if (freeze) for (const pid of await server.sessions()) signal(pid, 'SIGSTOP');
      child.stdin.write('close\n');
      const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      assert.equal(await exited, 0, freeze ? 'frozen' : 'polite');
      clearTimeout(killer);
    }
  });

  it('says so where a start file of the shell speaks into SFTP', async () => {
    const connection = await connect();
    await writeFile(join(ground.root, 'rog', 'home', '.bashrc'), `echo ${'hello '.repeat(10_000)}\n`);
    const failure = await failureOf(connection.openSftp(), 'no-sftp');
    assert.match(failure.message, /start file of the shell/);
    assert.equal((await outputOf(await connection.exec('echo on'))).endsWith('on\n'), true, 'the connection goes on');
  });

  it('says so where the server has no SFTP', async () => {
    const plain = await ground.serve('plain', { config: ['ForceCommand /bin/false'] });
    await failureOf((await connect({}, plain)).openSftp(), 'no-sftp');
  });

  it('says so where the server runs no more commands', async () => {
    const connection = await connect();
    await Promise.all(Array.from({ length: 50 }, () => connection.exec('exec cat')));
    const failure = await failureOf(connection.exec('true'), 'no-exec');
    assert.match(failure.next, /MaxSessions/);
  });
});
