import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Ground, until } from './ground.ts';

describe('the first steps of a new user', function () {
  this.timeout(120_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.open();
  });

  afterEach(async () => {
    await ground.run('down');
    await ground.close();
  });

  it('the demo ends with 0, all of its claims hold, and nothing is left behind, no process either', async () => {
    const before = readdirSync(ground.root).sort();
    const { code, stdout, stderr } = await ground.run('demo');
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /a line takes [\d.]+ ms/);
    assert.match(stdout, /every line of both is on all three machines, once/);
    assert.match(stdout, /it is back on the mac, byte for byte/);
    assert.deepEqual(readdirSync(ground.root).sort(), before);
    assert.deepEqual(hubsBelow(ground.root), []);
  });

  it('up starts a hub that outlives the command, where finds it, a second up finds it too, and down ends it', async () => {
    const up = await ground.json<{ pid: number; alreadyRunning: boolean }>('up');
    assert.equal(up.alreadyRunning, false);
    await ground.home('rog').write('CLAUDE.md', 'synced\n');
    await ground.settle();
    assert.equal(await ground.home('mac').text('CLAUDE.md'), 'synced\n');
    const where = await ground.json<{ pid: number; config: string; dataDir: string }>('where');
    assert.deepEqual([where.pid, where.config, where.dataDir], [up.pid, ground.configFile, ground.dataDir]);
    assert.equal((await ground.json<{ alreadyRunning: boolean }>('up')).alreadyRunning, true);
    await ground.json('down');
    await until('the process is gone', () => !existsSync(`/proc/${up.pid}`));
    const stopped = await ground.run('status');
    assert.equal(stopped.code, 3);
    assert.match(stopped.stderr, /claude-sync (up|hub)/, 'the next step is told');
  });

  it('every command answers --help with its words, and a word that is none ends with 2', async () => {
    for (const command of [
      'up',
      'status',
      'wait',
      'machines',
      'conflicts',
      'versions',
      'restore',
      'forget',
      'approve',
      'doctor',
      'demo',
    ]) {
      const { code, stdout } = await ground.run(command, '--help');
      assert.equal(code, 0, command);
      assert.match(stdout, new RegExp(`Usage: claude-sync ${command}`));
    }
    const unknown = await ground.run('snyc');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /snyc/);
  });
});

/** Pids of processes that were started with a path below `folder`. */
function hubsBelow(folder: string): string[] {
  if (!existsSync('/proc/self')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => commandLine(pid).includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    // It ended while the list was read.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
