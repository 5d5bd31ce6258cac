import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ground, newSession, until } from './ground.ts';
import { record } from './records.ts';

const isRoot = process.getuid?.() === 0;

/** Processes that have this folder on their command line. */
function hubsOn(folder: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`--data-dir ${folder}`)).map((line) => line.trim().split(' ')[0] ?? '');
}

describe('a hub that cannot start', function () {
  this.timeout(120_000);
  let ground: Ground;
  let mounted: string | null = null;

  beforeEach(async () => {
    ground = await Ground.open({ machines: ['rog', 'mac'] });
  });

  afterEach(async () => {
    for (const pid of hubsOn(ground.dataDir)) process.kill(Number(pid), 'SIGKILL');
    if (mounted !== null) execFileSync('umount', ['-l', mounted]);
    mounted = null;
    await ground.close();
  });

  it('ends on a full disk and says so, leaves no process behind, and the next start is the only hub', async function () {
    if (!isRoot || process.platform !== 'linux') return this.skip(); // Only root can mount a small volume.
    mounted = ground.dataDir;
    await mkdir(ground.dataDir, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m,mode=700', 'tmpfs', ground.dataDir]);
    const rog = ground.home('rog');
    const session = newSession();
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'first' }));
    await ground.startHub();
    await ground.settle();
    await ground.endHub('SIGKILL');
    const { bavail, bsize } = await statfs(ground.dataDir);
    await writeFile(join(ground.dataDir, 'filler'), Buffer.alloc(bavail * bsize)).catch(() => undefined);

    for (let time = 0; time < 2; time += 1) {
      const { code, stderr } = await ground.run('up');
      assert.equal(code, 1, stderr);
      assert.match(stderr, /full/);
      assert.ok(stderr.includes(ground.dataDir), stderr);
      assert.match(stderr, /[Mm]ake room/);
      assert.deepEqual(hubsOn(ground.dataDir), []);
    }

    await rm(join(ground.dataDir, 'filler'));
    assert.equal((await ground.run('up')).code, 0);
    assert.equal(hubsOn(ground.dataDir).length, 1);
    await ground.settle();
    assert.equal((await ground.run('down')).code, 0);
    assert.deepEqual(hubsOn(ground.dataDir), []);
  });

  it('ends where no data folder can be made, with a next step', async function () {
    if (!existsSync('/proc/self')) return this.skip(); // A place below which nothing can be made.
    ground.dataDir = '/proc/nope';
    for (const command of ['up', 'hub']) {
      const { code, stderr } = await ground.run(command);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /\/proc\/nope/);
      assert.match(stderr, /--data-dir/);
    }
    assert.equal((await ground.run('where')).code, 0);
  });

  it('names the process that has the data folder while nobody answers at its socket, until its socket is there again', async () => {
    await ground.startHub();
    const { socket } = await ground.json<{ socket: string }>('where');
    await unlink(socket);
    const where = await ground.json<{ pid: number; reachable?: boolean }>('where');
    assert.equal(where.pid, ground.hubPid);
    const [up, status] = await Promise.all([ground.run('up', '--json'), ground.run('status')]);
    assert.equal(up.code, 0, up.stderr);
    assert.deepEqual((JSON.parse(up.stdout) as { pid: number; alreadyRunning: boolean }).pid, ground.hubPid);
    assert.equal(status.code, 0, status.stderr);
    await unlink(socket);
    assert.equal((await ground.run('down')).code, 0);
  });

  it('a hub that was stopped in its tracks holds up no command for ever', async () => {
    await ground.startHub();
    process.kill(ground.hubPid, 'SIGSTOP');
    const { code, stderr } = await ground.run('status');
    process.kill(ground.hubPid, 'SIGCONT');
    assert.equal(code, 4, stderr);
    await until('it answers again', async () => (await ground.run('status')).code === 0);
  });
});
