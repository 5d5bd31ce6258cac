import assert from 'node:assert/strict';
import { lstat, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { connectToHub } from '../../../src/client/connect.ts';
import { SILENT_LOG } from '../../../src/hub/rpc/rpc-log.ts';
import { startRpcServer } from '../../../src/hub/rpc/server.ts';
import { ManualClock } from '../store/manual-clock.ts';
import { Announcer, privateFolder, serviceWith, until } from './fake-hub.ts';

describe('a socket that somebody removed', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;
  let socketPath: string;
  let clock: ManualClock;
  let server: Awaited<ReturnType<typeof startRpcServer>>;

  beforeEach(async () => {
    folder = await privateFolder();
    socketPath = join(folder.path, 'run', 'hub.sock');
    clock = new ManualClock();
    const service = serviceWith({});
    server = await startRpcServer({ socketPath, service, notifications: new Announcer(), log: SILENT_LOG, clock });
  });

  afterEach(async () => {
    await server.close();
    await folder.remove();
  });

  const connects = async (): Promise<boolean> => {
    clock.advance(5_000);
    try {
      (await connectToHub(socketPath)).close();
      return true;
    } catch {
      return false;
    }
  };

  it('is made anew, for this user only, and clients that are connected notice nothing', async () => {
    const before = await connectToHub(socketPath);
    await unlink(socketPath);
    await until('the hub is found again', connects);
    assert.equal((await lstat(socketPath)).mode & 0o777, 0o600);
    assert.equal((await before.request('hub/status', {})).inSync, true);
    before.close();
  });

  it('is made without touching the umask, which counts for every thread', async () => {
    const umask = process.umask.bind(process);
    const asked: unknown[] = [];
    process.umask = (mask?: string | number): number => (asked.push(mask), umask());
    try {
      await unlink(socketPath);
      await until('the hub is found again', connects);
    } finally {
      process.umask = umask;
    }
    assert.deepEqual(asked, []);
  });

  it('is made anew when its folder went with it, again and again', async () => {
    for (let time = 0; time < 3; time += 1) {
      await rm(dirname(socketPath), { recursive: true });
      await until('the hub is found again', connects);
    }
  });

  it('never takes the place of a file of somebody else', async () => {
    await unlink(socketPath);
    await writeFile(socketPath, 'mine');
    assert.equal(await connects(), false);
    assert.equal((await lstat(socketPath)).size, 4);
    await unlink(socketPath);
    await until('the hub is found again', connects);
  });
});
