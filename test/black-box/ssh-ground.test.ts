import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Client, type SFTPWrapper } from 'ssh2';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { loadConfig } from '../../src/hub/config/load.ts';
import { processes } from '../fixtures/ssh/processes.ts';
import { greeting } from '../fixtures/ssh/greeting.ts';
import { until } from './ground.ts';
import { SshGround, type SpokeName } from './ssh-ground.ts';

const run = promisify(execFile);

/** What the tests of SSH machines rest on: whether the machines are as they say. */
describe('the SSH machines of the tests', function () {
  this.timeout(60_000);
  let ground: SshGround;
  let clients: Client[];

  before(skipWhere(() => SshGround.unavailable()));

  beforeEach(async () => {
    clients = [];
    ground = await SshGround.open();
  });

  afterEach(async () => {
    for (const client of clients) client.destroy();
    await ground.close();
  });

  async function connect(name: SpokeName): Promise<Client> {
    const { link, sshd } = ground.machine(name);
    const client = new Client();
    clients.push(client);
    // A link that is cut ends it with an error; `close` follows.
    client.on('error', () => client.destroy());
    const ready = once(client, 'ready');
    client.connect({
      host: link.host,
      port: link.port,
      username: 'root',
      privateKey: await readFile(sshd.identityFile),
    });
    await ready;
    return client;
  }

  it('are at home where their users are, and a file there is the file here', async () => {
    for (const [name, at] of [
      ['rog', ground.home('rog').path],
      ['mac', ground.home('mac').path],
      ['nelly', '/C:/Users/nelly'],
    ] as const) {
      const sftp = await openSftp(await connect(name));
      assert.equal(await realpath(sftp, '.'), at);
      assert.equal(await realpath(sftp, '.claude'), `${at}/.claude`);
      await ground.home(name).write('CLAUDE.md', `of ${name}`);
      assert.equal((await readRemote(sftp, `${at}/.claude/CLAUDE.md`)).toString(), `of ${name}`);
    }
    assert.equal(ground.home('nelly').project, 'C:\\Users\\nelly\\code\\app');
    assert.match(ground.home('nelly').sessionPath('x'), /^projects\/C--Users-nelly-code-app\//);
  });

  it('have the commands of their kind: inotifywait, fswatch alone, or none at all', async () => {
    const has = async (name: SpokeName, command: string): Promise<boolean> =>
      (await exec(await connect(name), `command -v ${command} || true`)).trim() !== '';
    const found: Record<string, boolean> = {};
    for (const name of ['rog', 'mac'] as const) {
      for (const command of ['inotifywait', 'fswatch', 'rsync', 'sha256sum', 'shasum', 'sh'])
        found[`${name} ${command}`] = await has(name, command);
    }
    assert.deepEqual(
      Object.keys(found).filter((name) => !found[name]),
      ['mac inotifywait', 'mac sha256sum'],
    );
    assert.equal((await exec(await connect('rog'), 'echo $HOME')).trim(), ground.home('rog').path);
    // Whatever is asked, the answer is SFTP, which says nothing before it is spoken to.
    const nelly = await connect('nelly');
    nelly.exec('echo hello', (_error, channel) => channel.end());
    assert.equal(await realpath(await openSftp(nelly), '.'), '/C:/Users/nelly');
  });

  it('are in a configuration that is valid, with a known_hosts that names the link', async () => {
    const { config } = await loadConfig(ground.hub.configFile, ground.hub.root);
    assert.deepEqual(
      Object.entries(config.machines).map(([name, { transport, os }]) => [name, transport, os]),
      [
        ['xps', 'local', undefined],
        ['rog', 'ssh', undefined],
        ['mac', 'ssh', 'macos'],
        ['nelly', 'ssh', 'windows'],
      ],
    );
    for (const name of ['rog', 'mac', 'nelly'] as const) {
      const machine = config.machines[name];
      assert.ok(machine?.transport === 'ssh' && machine.knownHostsFile !== undefined);
      const ssh = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${machine.knownHostsFile}`];
      const batch = ['-i', machine.identityFile!, '-P', String(machine.port), '-b', '-', `root@${machine.host}`];
      const said = run('sftp', [...ssh, '-o', 'StrictHostKeyChecking=yes', ...batch]);
      said.child.stdin?.end('pwd\n');
      assert.match((await said).stdout, /Remote working directory/);
    }
  });

  for (const name of ['rog', 'nelly'] as const) {
    it(`can be stopped in the middle of a write, which is then done after the connection is gone (${name})`, async () => {
      const machine = ground.machine(name);
      const { link, home } = machine;
      const at = name === 'nelly' ? '/C:/Users/nelly' : home.path;
      await home.append('stale.jsonl', 'before');
      const sftp = await openSftp(await connect(name));
      const handle = await new Promise<Buffer>((resolve, reject) =>
        sftp.open(`${at}/.claude/stale.jsonl`, 'a', (error, opened) => (error ? reject(error) : resolve(opened))),
      );
      link.latencyMs = 100;
      const line = `${'x'.repeat(20_000)}\n`;
      const there = link.passed.toServer + 20_000;
      // Looked up before: the write is under way no longer than the latency.
      const pids = await machine.sftpServers();
      const frozen = link.taken(20_000, 'toServer').then(() => machine.freeze(pids));
      sftp.write(handle, Buffer.from(line), 0, line.length, 0, () => undefined);
      const thaw = await frozen;
      await until('the write is on the machine', () => link.passed.toServer >= there);
      link.cut();
      await until('the connection is gone', () => link.connections === 0);
      assert.ok((await home.text('stale.jsonl')) === 'before\n', 'nothing is written yet');
      link.latencyMs = 0;
      await openSftp(await connect(name));
      thaw();
      await until('it is done, late', async () => (await home.text('stale.jsonl')) === `before\n${line}`);
      await until('its process ends', async () => !(await processes()).some(({ pid }) => pids.includes(pid)));
    });
  }

  it('greet where a test says so: before each command, or in the middle of SFTP', async () => {
    await ground.close();
    ground = await SshGround.open({
      spokes: ['rog', 'mac'],
      differences: {
        rog: () => ({ sshd: { config: greeting('commands') } }),
        mac: () => ({ sshd: { config: greeting('everything') } }),
      },
    });
    const rog = await connect('rog');
    assert.equal(await exec(rog, 'echo "$HOME"'), `Welcome! It is a fine day.\n${ground.home('rog').path}\n`);
    assert.equal(await realpath(await openSftp(rog), '.'), ground.home('rog').path);
    const mac = await connect('mac');
    assert.match(await exec(mac, 'echo hello'), /^Welcome! .*\nhello\n$/);
    // "Welc" is the length of a packet, to who expects one.
    await assert.rejects(openSftp(mac), /packet/i);
  });

  it('leave nothing behind', async () => {
    const folders = [ground.home('rog').path, ground.home('nelly').path];
    const rog = await connect('rog');
    // A watcher that hears nothing does not notice that its session is gone.
    rog.exec(`exec inotifywait -m -r ${ground.home('rog').claudeDir}`, () => undefined);
    await until('it watches', async () => (await processes()).some(({ command }) => command.startsWith('inotifywait')));
    await ground.machine('rog').freeze();
    await ground.close();
    assert.deepEqual(
      (await processes()).filter(({ command }) => folders.some((folder) => command.includes(folder))),
      [],
    );
    for (const folder of folders) await assert.rejects(stat(folder), { code: 'ENOENT' });
    assert.deepEqual(
      (await readdir('/var/lib')).filter((name) => folders[1]!.includes(name) && name !== ''),
      [],
    );
  });
});

function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
}

function realpath(sftp: SFTPWrapper, path: string): Promise<string> {
  return new Promise((resolve, reject) =>
    sftp.realpath(path, (error, found) => (error ? reject(error) : resolve(found))),
  );
}

function readRemote(sftp: SFTPWrapper, path: string): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    sftp.readFile(path, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  );
}

function exec(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let said = '';
      channel.on('data', (chunk: Buffer) => (said += chunk.toString()));
      channel.on('close', () => resolve(said));
    });
  });
}
