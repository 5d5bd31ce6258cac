import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { HubError } from '../../src/protocol/errors.ts';
import type { WaitResult } from '../../src/protocol/sync.ts';
import { Bench } from './run.ts';

const TIMED_OUT: WaitResult = {
  settled: false,
  waitedMs: 1000,
  pending: [{ machine: 'rog', status: 'online', pending: 3 }],
  notWaitedFor: [{ machine: 'mac', key: null, why: 'machine', reason: 'offline for 6 min' }],
  notWaitedForTotal: 1,
  orderRepairedLater: [],
};

/** Every command that needs a hub, with arguments that are right. */
const WITH_HUB = [
  ['status'],
  ['wait'],
  ['sync'],
  ['sync', 'rog'],
  ['machines'],
  ['machines', 'list'],
  ['machines', 'pause', 'rog'],
  ['machines', 'resume', 'rog'],
  ['doctor'],
  ['conflicts'],
  ['conflicts', 'show', '1'],
  ['conflicts', 'resolve', '1', '--keep', 'rog'],
  ['versions', 'agents/a.md'],
  ['restore', 'agents/a.md', '--version', '3'],
  ['forget', 'x', '--yes'],
  ['approve'],
  ['approve', 'show', '1'],
  ['approve', 'accept', '1'],
  ['approve', 'reject', '1'],
  ['down'],
];

describe('exit codes of the command line', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.open();
  });

  afterEach(() => bench.close());

  for (const args of WITH_HUB) {
    it(`claude-sync ${args.join(' ')}: 3 when no hub runs, and says how to start one`, async () => {
      const { code, stdout, stderr } = await bench.run(args);
      assert.equal(code, 3);
      assert.match(stdout + stderr, /claude-sync up/);
    });
  }

  it('0 for help and version', async () => {
    assert.equal((await bench.run(['--help'])).code, 0);
    assert.match((await bench.run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await bench.run(['restore', '--help'])).code, 0);
  });

  it('0 when done, 1 when the hub refuses', async () => {
    await bench.hub({
      'machines/pause': () => Promise.reject(new HubError('not-found', 'no machine is called nobody')),
    });
    assert.equal((await bench.run(['status'])).code, 0);
    const refused = await bench.run(['machines', 'pause', 'nobody']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /no machine is called nobody/);
  });

  const wrong = [
    [],
    ['nonsense'],
    ['status', '--nonsense'],
    ['status', 'extra'],
    ['wait', '--timeout', 'soon'],
    ['wait', '--timeout', '-1'],
    ['conflicts', 'show'],
    ['conflicts', 'show', 'x'],
    ['conflicts', 'show', '0'],
    ['conflicts', 'resolve', '1'],
    ['conflicts', 'resolve', '1', '--keep', 'a', '--merged', 'b'],
    ['conflicts', 'resolve', '1', '--merged', 'no-such-file'],
    ['machines', 'nonsense'],
    ['machines', 'resume', 'rog', '--refill', '--accept-deletes'],
    ['restore'],
    ['restore', 'k', '--version', '1.5'],
    ['status', '--socket', `/${'x'.repeat(200)}`],
  ];
  for (const args of wrong) {
    it(`2 for wrong usage: claude-sync ${args.join(' ').slice(0, 60)}`, async () => {
      await bench.hub({});
      const { code, stdout, stderr } = await bench.run(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    });
  }

  it('2 for forget without --yes where there is nobody to ask, and nothing is forgotten', async () => {
    const asked: boolean[] = [];
    await bench.hub({
      'sessions/forget': ({ session, preview }) => {
        asked.push(preview);
        return Promise.resolve({
          session,
          forgotten: !preview,
          title: null,
          keys: [],
          versions: 0,
          historyLines: 0,
          bytes: 0,
          machines: [],
        });
      },
    });
    assert.equal((await bench.run(['forget', 's'])).code, 2);
    assert.deepEqual(asked, [true]);
  });

  it('2 for a hub with a faulty or missing configuration file, naming line and column', async () => {
    const file = join(bench.folder, 'config.jsonc');
    await writeFile(file, '{\n  "machines": {\n');
    const faulty = await bench.run(['hub', '--config', file, '--data-dir', join(bench.folder, 'data')]);
    assert.equal(faulty.code, 2, faulty.stderr);
    assert.match(faulty.stderr, /config\.jsonc:\d+:\d+/);
    const missing = await bench.run(['hub', '--config', `${file}.none`, '--data-dir', join(bench.folder, 'data')]);
    assert.equal(missing.code, 2, missing.stderr);
  });

  it('4 when wait gives up, and it still tells what is pending and what is not waited for', async () => {
    let asked: number | null = null;
    await bench.hub({
      'hub/wait': ({ timeoutMs }) => {
        asked = timeoutMs;
        return Promise.resolve(TIMED_OUT);
      },
    });
    const { code, stdout } = await bench.run(['wait', '--timeout', '1']);
    assert.equal(code, 4);
    assert.equal(asked, 1000);
    assert.match(stdout, /rog \(online\): 3 pending/);
    assert.match(stdout, /mac: not reachable \(offline for 6 min\)/);
  });

  it('4 when the hub is there but silent', async () => {
    const mute = createServer(() => undefined).listen(join(bench.folder, 'hub.sock'));
    await once(mute, 'listening');
    assert.equal((await bench.run(['status'])).code, 4);
    mute.close();
  });

  it('1 for findings of doctor that are problems, 0 for warnings', async () => {
    let severity: 'warning' | 'problem' = 'warning';
    await bench.hub({
      'doctor/run': () =>
        Promise.resolve({
          findings: [{ check: 'watch-limit', severity, machine: 'rog', message: 'low', fix: 'sysctl x' }],
        }),
    });
    assert.equal((await bench.run(['doctor'])).code, 0);
    severity = 'problem';
    const { code, stdout } = await bench.run(['doctor']);
    assert.equal(code, 1);
    assert.match(stdout, /fix: sysctl x/);
  });

  it('1 when a machine could not be scanned', async () => {
    await bench.hub({
      'sync/now': () =>
        Promise.resolve({
          machines: [{ name: 'mac', status: 'offline', files: 0, changes: 0, durationMs: 5, problem: 'no route' }],
        }),
    });
    assert.equal((await bench.run(['sync'])).code, 1);
  });

  it('2 for resuming a quarantined machine without a mode, after showing what each would do', async () => {
    const { MACHINE } = await import('../hub/rpc/fake-hub.ts');
    const plan = {
      written: { files: 2, bytes: 10 },
      read: { files: 0, bytes: 0 },
      deleted: 7,
      conflicts: 0,
      examples: ['agents/a.md'],
    };
    const asked: boolean[] = [];
    await bench.hub({
      'machines/resume': ({ preview }) => {
        asked.push(preview);
        return Promise.resolve({
          machine: { ...MACHINE, status: 'quarantined' },
          quarantine: 'it was emptied',
          plans: [
            { mode: 'refill', ...plan, deleted: 0 },
            { mode: 'accept-deletes', ...plan },
          ],
          resumed: false,
        });
      },
    });
    const { code, stdout } = await bench.run(['machines', 'resume', 'rog']);
    assert.equal(code, 2);
    assert.deepEqual(asked, [true]);
    assert.match(stdout, /it was emptied/);
    assert.match(stdout, /delete on all {2}7 files/);
  });
});
