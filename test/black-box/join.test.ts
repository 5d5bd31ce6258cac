import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { FaultyLink } from '../fixtures/ssh/faulty-link.ts';
import { freePort, Sshd } from '../fixtures/ssh/sshd.ts';
import { Ground, newSession, until } from './ground.ts';
import { Home } from './home.ts';
import { program } from './program.ts';
import { record } from './records.ts';
import { SshGround } from './ssh-ground.ts';

/** A computer with an SSH server of its own that only it can connect from. */
interface Laptop {
  readonly home: Home;
  readonly sshd: Sshd;
}

describe('join', function () {
  this.timeout(90_000);
  let root: string;
  let ground: Ground;
  /** The SSH server of the hub's machine, and the link to it. */
  let door: Sshd;
  let link: FaultyLink;
  let knownHosts: string;
  const laptops: Laptop[] = [];
  const running: ChildProcess[] = [];

  before(skipWhere(() => SshGround.unavailable()));

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'claude-sync-join-'));
    ground = await Ground.open({ machines: ['xps'] });
    door = await Sshd.start({ folder: join(root, 'door'), home: ground.home('xps').path });
    link = await FaultyLink.open({ to: { host: door.address, port: door.port } });
    knownHosts = join(root, 'known_hosts');
    await ground.startHub();
  });

  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await ground.close();
    await link.close();
    await door.stop();
    for (const { sshd } of laptops.splice(0)) await sshd.stop();
    await rm(root, { recursive: true, force: true });
  });

  async function laptop(name: string): Promise<Laptop> {
    const home = new Home(join(root, name, 'home'));
    await home.make();
    const made = { home, sshd: await Sshd.start({ folder: join(root, name, 'sshd'), home: home.path }) };
    laptops.push(made);
    // Nobody is let in before it joins.
    await rm(join(made.sshd.folder, 'authorized_keys'));
    return made;
  }

  async function words({ home, sshd }: Laptop, name: string, ...more: string[]): Promise<string[]> {
    const main = await program();
    const hub = [
      main,
      '--config',
      ground.configFile,
      '--data-dir',
      ground.dataDir,
      '--socket',
      join(ground.root, 'hub.sock'),
    ];
    return [
      ...[main, 'join', `root@${link.host}:${link.port}`, '--name', name, '--sshd-port', String(sshd.port)],
      ...['--identity', door.identityFile, '--known-hosts', knownHosts, '--claude-dir', home.claudeDir],
      ...['--authorized-keys', join(sshd.folder, 'authorized_keys'), '--accept-host-key', await doorKey()],
      ...['--hub-command', [process.execPath, ...hub].join(' '), '--yes', ...more],
    ];
  }

  async function doorKey(): Promise<string> {
    const { createHash } = await import('node:crypto');
    const blob = Buffer.from((await readFile(join(door.folder, 'host_ed25519.pub'), 'utf8')).split(' ')[1]!, 'base64');
    return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
  }

  /** Starts it; `said` grows. */
  function start(args: readonly string[]): { child: ChildProcess; said: () => string; ended: Promise<number | null> } {
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: root, TMPDIR: root },
    });
    running.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (text += data.toString()));
    return { child, said: () => text, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
  }

  async function untilSaid(one: { said: () => string; child: ChildProcess }, what: string): Promise<void> {
    await until(
      `it says "${what}"`,
      () => {
        if (one.child.exitCode !== null) throw new Error(`it ended with ${one.child.exitCode}: ${one.said()}`);
        return one.said().includes(what);
      },
      40_000,
    );
  }

  const untilStatus = (name: string, isOnline: boolean) =>
    until(
      `${name} is ${isOnline ? '' : 'not '}online`,
      async () => ((await ground.report(name)).status === 'online') === isOnline,
      40_000,
    );

  it('a computer that the hub cannot reach syncs both ways, and Ctrl-C takes the way back', async () => {
    const rog = await laptop('rog');
    const [there, here] = [newSession(), newSession()];
    await rog.home.append(
      rog.home.sessionPath(there),
      record({ session: there, home: rog.home, name: 'a', text: 'hello' }),
    );
    const port = await freePort();
    const joined = start(await words(rog, 'rog', '--port', String(port)));
    await untilSaid(joined, `reaches this computer at 127.0.0.1:${port}`);
    await untilStatus('rog', true);
    const xps = ground.home('xps');
    await until('its conversation is at the hub', async () => (await xps.read(xps.sessionPath(there))) !== null);
    await xps.append(xps.sessionPath(here), record({ session: here, home: xps, name: 'b', text: 'hello' }));
    await until('and back', async () => (await rog.home.read(rog.home.sessionPath(here))) !== null);

    const authorized = await readFile(join(rog.sshd.folder, 'authorized_keys'), 'utf8');
    assert.match(authorized, /^restrict,from="127\.0\.0\.1,::1" ssh-ed25519 \S+ claude-sync hub \S+\n$/);
    joined.child.kill('SIGINT');
    assert.equal(await joined.ended, 0);
    assert.match(joined.said(), /taken back/);
    assert.equal(await isListening(port), false);
    await untilStatus('rog', false);

    const again = start(await words(rog, 'rog', '--port', String(port)));
    await untilSaid(again, 'reaches this computer');
    assert.equal(await readFile(join(rog.sshd.folder, 'authorized_keys'), 'utf8'), authorized, 'let in once');
    await untilStatus('rog', true);
  });

  it('a connection that is cut is made anew, with the same port', async () => {
    const rog = await laptop('rog');
    const joined = start(await words(rog, 'rog'));
    await untilSaid(joined, 'reaches this computer');
    await untilStatus('rog', true);
    link.cut();
    await untilSaid(joined, 'tried again in 1 s');
    await untilSaid(joined, 'open again');
    const session = newSession();
    await rog.home.append(rog.home.sessionPath(session), record({ session, home: rog.home, name: 'a', text: 'after' }));
    const xps = ground.home('xps');
    await until(
      'what came after is at the hub',
      async () => (await xps.read(xps.sessionPath(session))) !== null,
      60_000,
    );
  });

  it('two computers are both 127.0.0.1 to the hub, and their host keys do not get mixed up', async () => {
    const [rog, mac] = [await laptop('rog'), await laptop('mac')];
    const both = [start(await words(rog, 'rog')), start(await words(mac, 'mac'))];
    for (const one of both) await untilSaid(one, 'reaches this computer');
    for (const name of ['rog', 'mac']) await untilStatus(name, true);
    assert.doesNotMatch(both.map(({ said }) => said()).join(), /but:/);
  });

  it('--once tries the way and leaves nothing open', async () => {
    const rog = await laptop('rog');
    const port = await freePort();
    const once = start(await words(rog, 'rog', '--port', String(port), '--once'));
    assert.equal(await once.ended, 0, once.said());
    assert.match(once.said(), /reaches this computer/);
    assert.equal(await isListening(port), false);
  });

  it('what is missing is said: an SSH server here, claude-sync there, an accepted host key', async () => {
    const rog = await laptop('rog');
    const [own, sshd] = [await words(rog, 'rog'), await freePort()];
    const noServer = start([...own, '--sshd-port', String(sshd)]);
    assert.equal(await noServer.ended, 1);
    assert.match(noServer.said(), /no SSH server answers on this computer.*--sshd-port/s);
    const noProgram = start([...own, '--hub-command', 'no-such-program']);
    assert.equal(await noProgram.ended, 1);
    assert.match(noProgram.said(), /no claude-sync on .*--hub-command/s);
    await rm(knownHosts);
    const noKey = start(
      own.filter((word, index) => word !== '--accept-host-key' && own[index - 1] !== '--accept-host-key'),
    );
    assert.equal(await noKey.ended, 1);
    assert.ok(noKey.said().includes(await doorKey()));
    const unasked = start(own.filter((word) => word !== '--yes'));
    assert.equal(await unasked.ended, 2);
    assert.equal((await ground.status()).machines.length, 1);
  });
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
