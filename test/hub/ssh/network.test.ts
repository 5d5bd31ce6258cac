import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ssh2';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { Network } from '../../fixtures/ssh/network.ts';
import { Sshd } from '../../fixtures/ssh/sshd.ts';
import { until } from '../../black-box/ground.ts';

const run = promisify(execFile);

describe('the network of the tests', () => {
  let network: Network;

  before(skipWhere(async () => whyNoSshd() ?? (await Network.unavailable())));

  it('has hosts with addresses of their own, counts their bytes, and lets one vanish without a word', async () => {
    network = await Network.open();
    const folder = await mkdtemp(join(tmpdir(), 'claude-sync-network-'));
    const servers: Sshd[] = [];
    const client = new Client();
    try {
      for (const name of ['rog', 'mac']) {
        const { address, prefix } = await network.add(name);
        servers.push(await Sshd.start({ folder: join(folder, name), home: folder, address, prefix, port: 22 }));
      }
      const [rog, mac] = servers as [Sshd, Sshd];
      assert.notEqual(rog.address, mac.address);
      const closed = once(client, 'close');
      let isClosed = false;
      void closed.then(() => (isClosed = true));
      client.connect({ host: rog.address, port: 22, username: 'root', privateKey: await readFile(rog.identityFile) });
      await once(client, 'ready');

      const before = await network.bytes('rog');
      assert.equal(await exec(client, 'head -c 100000 /dev/zero | wc -c; head -c 100000 /dev/zero'), 100_007);
      const { sent, received } = await network.bytes('rog');
      assert.ok(received - before.received > 100_000 && received - before.received < 120_000, `${received}`);
      assert.ok(sent > before.sent);

      await network.blackHole('rog', true);
      let answered = 0;
      const answer = exec(client, 'echo back').then((bytes) => (answered = bytes));
      const [toRog, toMac] = [rog, mac].map(({ address }) => connect({ host: address, port: 22 })) as [Socket, Socket];
      let reached = '';
      for (const event of ['connect', 'error', 'close']) toRog.on(event, () => (reached = event));
      await once(toMac, 'data');
      assert.deepEqual([isClosed, answered, reached], [false, 0, ''], 'nothing breaks and nothing answers');
      await network.blackHole('rog', false);
      await answer;
      assert.equal(answered, 5);
      await until('the host is reached', () => reached === 'connect');
      toRog.destroy();
      toMac.destroy();
      client.end();
      await closed;
    } finally {
      client.destroy();
      for (const server of servers) await server.stop();
      await network.close();
      await rm(folder, { recursive: true });
    }
    assert.deepEqual(await namespaces(`cst${process.pid}n`), []);
  });

  it('removes what a crashed run left behind, with what runs there', async () => {
    const source = join(import.meta.dirname, '../../fixtures/ssh/network.ts');
    const script = `
      const { Network } = await import(${JSON.stringify(source)});
      const { spawn } = await import('node:child_process');
      const [command, ...words] = (await (await Network.open()).add('left')).prefix;
      const child = spawn(command, [...words, 'sleep', '1000'], { detached: true, stdio: 'ignore' });
      console.log(child.pid);
      setInterval(() => {}, 1000);
    `;
    const crashed = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    crashed.stdout.on('data', (text: Buffer) => (said += text.toString()));
    await until('it has a host', () => said.includes('\n'));
    crashed.kill('SIGKILL');
    await once(crashed, 'exit');
    const prefix = `cst${crashed.pid}n`;
    assert.equal((await namespaces(prefix)).length, 1);
    network = await Network.open();
    await network.close();
    assert.deepEqual(await namespaces(prefix), []);
    assert.deepEqual(
      (await readdir('/sys/class/net')).filter((name) => name.startsWith(prefix)),
      [],
    );
    await until('the process is gone', async () => !(await readdir('/proc')).includes(said.trim()));
  });
});

async function namespaces(prefix: string): Promise<string[]> {
  const { stdout } = await run('ip', ['netns', 'list']);
  return stdout.split('\n').filter((line) => line.startsWith(prefix));
}

/** Runs a command there. @returns how many bytes it printed. */
function exec(client: Client, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let bytes = 0;
      channel.on('data', (chunk: Buffer) => (bytes += chunk.length));
      channel.on('close', () => resolve(bytes));
    });
  });
}
