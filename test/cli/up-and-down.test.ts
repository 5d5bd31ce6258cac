import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning } from '../../src/client/processes.ts';
import { runCli } from '../../src/cli/program.ts';
import { readHubFile } from '../../src/hub/rpc/hub-file.ts';
import { Bench, type Run } from './run.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

describe('claude-sync up and down', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.open();
  });

  afterEach(async () => {
    const left = await readHubFile(join(bench.folder, 'data'));
    if (left !== null) process.kill(left.pid, 'SIGKILL');
    await bench.close();
  });

  const run = async (args: string[], env: Record<string, string> = {}): Promise<Run> => {
    const world = {
      ...bench.surroundings({ env: { CLAUDE_SYNC_SOCKET: '', ...env } }),
      self: { command: process.execPath, args: [join(import.meta.dirname, 'hub-process.ts')] },
    };
    const code = await runCli([...args, '--data-dir', 'data'], world);
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout: world.stdout.text, stderr: world.stderr.text };
  };

  it('starts a hub that outlives the command, is found by its data folder, and stops with its process gone', async () => {
    const up = await run(['up', '--json'], { NODE_OPTIONS: '--inspect-brk' });
    assert.equal(up.code, 0, up.stderr);
    const { pid, alreadyRunning } = JSON.parse(up.stdout) as { pid: number; alreadyRunning: boolean };
    assert.equal(alreadyRunning, false);
    assert.ok(isRunning(pid));

    const again = await run(['up', '--json']);
    assert.deepEqual([(JSON.parse(again.stdout) as { pid: number }).pid, again.code], [pid, 0]);
    const where = JSON.parse((await run(['where', '--json'])).stdout) as { pid: number; config: string | null };
    assert.equal(where.pid, pid);
    assert.equal(where.config, null, 'NODE_OPTIONS reached the hub');

    const down = await run(['down']);
    assert.equal(down.code, 0, down.stderr);
    assert.ok(!isRunning(pid));
    assert.equal((await run(['down'])).code, 3);
  });

  it('prints why a hub that ended did not start, with its exit code', async () => {
    await writeFile(join(bench.folder, 'config.jsonc'), '{}');
    const { code, stderr } = await run(['up', '--config', 'config.jsonc']);
    assert.equal(code, 2);
    assert.match(stderr, /the hub did not start: config\.jsonc:3:5: unknown key/);
  });

  it('only one of four simultaneous starts makes the hub, and all agree which', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => run(['up', '--json'])));
    const pids = new Set(runs.map(({ stdout }) => (JSON.parse(stdout) as { pid: number }).pid));
    assert.equal(pids.size, 1);
    await run(['down']);
  });
});

describe('the program itself', () => {
  it('runs as a process, with its exit code', async () => {
    const bench = await Bench.open();
    const child = spawn(process.execPath, [MAIN, 'status', '--data-dir', bench.folder, '--json'], {
      env: { ...process.env, CLAUDE_SYNC_SOCKET: join(bench.folder, 'none.sock') },
    });
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 3);
    await bench.close();
  });

  it('refuses an older Node before it loads anything, and says what to do', async () => {
    const older = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.11.0'})`;
    const result = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, ['--import', older, MAIN, 'status'], (error, _stdout, stderr) => {
        resolve({ code: error?.code, stderr });
      });
    });
    assert.equal(result.code, 1);
    assert.match(result.stderr, /needs Node 22\.22 or newer; this is 20\.11\.0/);
  });
});
