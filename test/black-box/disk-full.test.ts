import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ground, newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { record } from './records.ts';

const MIB = 1024 * 1024;
const isRoot = process.getuid?.() === 0;

describe('a full disk', function () {
  this.timeout(150_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;
  const mounted: string[] = [];

  beforeEach(async function () {
    if (!isRoot || process.platform !== 'linux') return this.skip(); // Only root can mount a small volume.
    ground = await Ground.open({ machines: ['rog', 'mac'] });
    rog = ground.home('rog');
    mac = ground.home('mac');
  });

  afterEach(async () => {
    await ground.endHub('SIGKILL');
    for (const folder of mounted.splice(0)) execFileSync('umount', ['-l', folder]);
    await ground.close();
  });

  async function mountSmall(folder: string, size: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'tmpfs', folder]);
    mounted.push(folder);
  }

  async function writeMuch(home: Home): Promise<string[]> {
    const paths: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const session = newSession();
      const lines = [1, 2, 3, 4].map((turn) =>
        record({ session, home, name: `${session}/${turn}`, text: 'x'.repeat(50_000) }),
      );
      await home.append(home.sessionPath(session), ...lines);
      await home.write(`skills/s${index}/SKILL.md`, `skill ${index}\n`.repeat(5_000));
      paths.push(session, `skills/s${index}/SKILL.md`);
    }
    return paths;
  }

  /** What Claude Code could load on mac is whole: the file of rog, or whole lines from its start. */
  async function assertNothingHalfWritten(): Promise<void> {
    for (const path of await mac.files()) {
      if (path === 'filler.bin' || path === 'history.jsonl') continue;
      const copy = await mac.read(path);
      const session = /([^/]+)\.jsonl$/.exec(path)?.[1];
      const original = await rog.read(session === undefined ? path : rog.sessionPath(session));
      assert.ok(copy && original);
      if (session === undefined) assert.ok(copy.equals(original), `${path} is whole`);
      else assert.ok(copy.equals(original.subarray(0, copy.length)), `${path} is the beginning of the original`);
    }
  }

  it('on a machine: nothing half-written is visible, the machine is named, and work goes on when there is room', async () => {
    await mountSmall(mac.path, '4m');
    await mac.make();
    await mac.write('filler.bin', Buffer.alloc(3 * MIB));
    const paths = await writeMuch(rog);
    await ground.startHub();
    await until(
      'the machine is named',
      async () => {
        const { alerts, inSync } = await ground.status();
        // Tries that failed are a warning before it is given up.
        return !inSync && alerts.some(({ id, severity }) => id === 'failed/mac' && severity === 'error');
      },
      40_000,
    );
    // The prompt history is written under a lock, and connecting tries the disk out: neither failure is the hub's.
    await rog.append(
      'history.jsonl',
      JSON.stringify({ display: 'hi', timestamp: 1, project: rog.path, sessionId: paths[0] }),
    );
    await ground.restartHub();
    await until(
      'the machine is named again',
      async () =>
        (await ground.status()).alerts.some(
          ({ id, severity, message }) => id === 'failed/mac' && severity === 'error' && /full/.test(message),
        ),
      40_000,
    );
    const { alerts, totals } = await ground.status();
    assert.deepEqual(
      alerts.filter(({ id }) => id === 'hub-disk'),
      [],
      'the disk of the hub is not blamed',
    );
    assert.equal((await ground.report('mac')).status, 'online', 'a machine with a full disk is still read');
    assert.ok(totals.failed > 0 && totals.successRate < 1, JSON.stringify(totals));
    await assertNothingHalfWritten();
    const report = await ground.report('mac');
    assert.ok((report.unsettled?.failed ?? 0) > 0);
    assert.match((await ground.run('doctor')).stdout, /mac/);

    // A live session goes on meanwhile.
    const [first = ''] = paths;
    await rog.append(
      rog.sessionPath(first),
      record({ session: first, home: rog, name: 'more', text: 'y'.repeat(10_000) }),
    );
    await mac.remove('filler.bin');
    await until(
      'all is there',
      async () => {
        await ground.run('wait', '--timeout', '20');
        return (await mac.files()).length === 25 && (await ground.status()).inSync;
      },
      60_000,
    );
    for (const path of await mac.files()) {
      // Its lines name projects by the paths of each machine.
      if (path === 'history.jsonl') continue;
      const session = /([^/]+)\.jsonl$/.exec(path)?.[1];
      const original = await rog.read(session === undefined ? path : rog.sessionPath(session));
      assert.ok(original && (await mac.read(path))?.equals(original), path);
    }
    await until('nothing is told any more', async () => (await ground.status()).alerts.length === 0, 40_000);
  });

  it('on the hub: the hub lives, says so, nothing half-written is visible anywhere, and work goes on when there is room', async () => {
    await mountSmall(ground.dataDir, '8m');
    await ground.startHub();
    await ground.settle();
    const filler = join(ground.dataDir, 'filler.bin');
    const free = Number(
      execFileSync('df', ['--output=avail', '-B1', ground.dataDir], { encoding: 'utf8' }).split('\n')[1],
    );
    await writeFile(filler, Buffer.alloc(Math.max(0, free - 512 * 1024)));
    const paths = await writeMuch(rog);
    await until(
      'the hub says that its disk is full',
      async () => {
        const { alerts, inSync } = await ground.status();
        return !inSync && alerts.some(({ message }) => /disk|space/.test(message));
      },
      40_000,
    );
    await assertNothingHalfWritten();
    await rm(filler);
    await until(
      'all is there',
      async () => {
        await ground.run('wait', '--timeout', '20');
        return (await mac.files()).length === paths.length && (await ground.status()).inSync;
      },
      60_000,
    );
    for (const path of await mac.files()) {
      const session = /([^/]+)\.jsonl$/.exec(path)?.[1];
      const original = await rog.read(session === undefined ? path : rog.sessionPath(session));
      assert.ok(original && (await mac.read(path))?.equals(original), path);
    }
    await ground.restartHub();
    await ground.settle();
  });
});
