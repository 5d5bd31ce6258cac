import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireHubLock, HubAlreadyRunning } from '../../../src/hub/lock.ts';
import { connectToHub } from '../../../src/client/connect.ts';
import { hubFilePath, readHubFile } from '../../../src/hub/rpc/hub-file.ts';
import { privateFolder, startFakeHub, until } from './fake-hub.ts';

/** One process that tries to be the hub. */
class Contender {
  readonly process: ChildProcessWithoutNullStreams;
  output = '';
  readonly exited: Promise<unknown>;

  constructor(dataDir: string, socketPath: string) {
    this.process = spawn(process.execPath, [join(import.meta.dirname, 'lock-contender.ts'), dataDir, socketPath]);
    this.process.stdout.on('data', (data: Buffer) => (this.output += data.toString()));
    this.process.stderr.on('data', (data: Buffer) => (this.output += data.toString()));
    this.exited = once(this.process, 'exit');
  }

  get decided(): boolean {
    return this.output.includes('\n');
  }

  get running(): boolean {
    return this.output === 'running\n';
  }
}

describe('one hub per data folder', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;
  let dataDir: string;
  let socketPath: string;
  const contenders: Contender[] = [];
  const contend = (data = dataDir): Contender => {
    const contender = new Contender(data, socketPath);
    contenders.push(contender);
    return contender;
  };
  const decided = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(contenders.map((one) => one.output).join('|'))), 45_000);
      const look = (): void => {
        if (!contenders.every((one) => one.decided)) return void setTimeout(look, 20);
        clearTimeout(deadline);
        resolve();
      };
      look();
    });

  beforeEach(async () => {
    folder = await privateFolder();
    dataDir = join(folder.path, 'data');
    socketPath = join(folder.path, 'run', 'hub.sock');
  });

  afterEach(async () => {
    for (const { process } of contenders) process.kill('SIGKILL');
    await Promise.all(contenders.splice(0).map((one) => one.exited));
    await folder.remove();
  });

  it('holds when eight start at the same instant, and each loser names the winner', async () => {
    for (let index = 0; index < 8; index += 1) contend();
    await decided();
    const winners = contenders.filter((one) => one.running);
    assert.equal(winners.length, 1, contenders.map((one) => one.output).join('|'));
    const winner = winners[0];
    assert.ok(winner);
    for (const loser of contenders.filter((one) => one !== winner)) {
      assert.equal(loser.output, `refused ${winner.process.pid} ${socketPath}\n`);
      await loser.exited;
      assert.equal(loser.process.exitCode, 1);
    }
    const client = await connectToHub(socketPath);
    assert.equal(client.hello.pid, winner.process.pid);
    client.close();
  });

  it('holds when eight start at the same instant over the remains of a killed one', async () => {
    const first = contend();
    await decided();
    first.process.kill('SIGKILL');
    await first.exited;
    assert.ok((await lstat(socketPath)).isSocket());
    assert.equal((await readHubFile(dataDir))?.pid, first.process.pid);
    contenders.length = 0;
    for (let index = 0; index < 8; index += 1) contend();
    await decided();
    assert.equal(contenders.filter((one) => one.running).length, 1, contenders.map((one) => one.output).join('|'));
  });

  it('holds for one socket shared by two data folders', async () => {
    for (let index = 0; index < 6; index += 1) contend(join(folder.path, `data${index}`));
    await decided();
    assert.equal(contenders.filter((one) => one.running).length, 1, contenders.map((one) => one.output).join('|'));
  });

  it('writes hub.json for this user only and removes it at the end, with the socket', async () => {
    const hub = contend();
    await decided();
    assert.equal((await lstat(hubFilePath(dataDir))).mode & 0o777, 0o600);
    assert.deepEqual(await readHubFile(dataDir), {
      pid: hub.process.pid,
      socket: socketPath,
      version: '0.1.0',
      startedAt: 1,
      dataDir,
      config: null,
    });
    hub.process.stdin.end();
    await hub.exited;
    assert.equal(await readHubFile(dataDir), null);
    await assert.rejects(lstat(socketPath), { code: 'ENOENT' });
  });

  it('leaves hub.json of the running hub alone when a second one is refused', async () => {
    const lock = await acquireHubLock({ dataDir, socketPath });
    await lock.publish({ pid: process.pid, socket: socketPath, version: '1', startedAt: 1, dataDir, config: null });
    await assert.rejects(acquireHubLock({ dataDir, socketPath }), (error) => {
      assert.ok(error instanceof HubAlreadyRunning);
      assert.equal(error.pid, process.pid);
      assert.ok(error.message.includes(socketPath));
      return true;
    });
    assert.equal((await readHubFile(dataDir))?.pid, process.pid);
    await lock.release();
    await lock.release();
    assert.equal(await readHubFile(dataDir), null);
    await (await acquireHubLock({ dataDir, socketPath })).release();
  });

  it('never removes a socket that answers, nor a file that is no socket', async () => {
    const stranger = await startFakeHub(folder.path);
    await assert.rejects(acquireHubLock({ dataDir, socketPath: stranger.socketPath }), HubAlreadyRunning);
    (await connectToHub(stranger.socketPath)).close();
    await stranger.server.close();

    const file = join(folder.path, 'notes.txt');
    await writeFile(file, 'mine');
    await assert.rejects(acquireHubLock({ dataDir, socketPath: file }), /no socket/);
    assert.equal(await readFile(file, 'utf8'), 'mine');
    await until('the lock is free again', async () => {
      await (await acquireHubLock({ dataDir, socketPath })).release();
      return true;
    });
  });
});
