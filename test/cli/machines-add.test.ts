import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';
import type { MachinesAddParams, MachinesProbeParams, ProbeReport } from '../../src/protocol/probe.ts';
import type { HubService } from '../../src/protocol/service.ts';
import { Bench, type Run } from './run.ts';

const FINGERPRINT = 'SHA256:the-one';

const REPORT: ProbeReport = {
  server: 'thh3@rog:22',
  os: 'linux',
  architecture: 'x86_64',
  home: '/home/thh3',
  claudeDir: { path: '/home/thh3/.claude', state: 'present' },
  hasShell: true,
  watcher: { kind: 'poll', fix: 'sudo apt-get install inotify-tools' },
  rsync: { there: null, here: 'rsync 3.2', fix: 'install rsync there: sudo apt-get install rsync' },
  sessions: 3,
  projects: { total: 1, known: [{ path: '/home/thh3/code/app', sessions: 3 }] },
  synced: { files: 4, bytes: 5_000 },
  unreadable: [],
  cleanUp: { days: 30, isDefault: true, problem: null },
  clockOffsetMs: 120_000,
  space: { freeBytes: 5e9, totalBytes: 1e10 },
  lacks: [{ extension: 'fsync@openssh.com', means: 'something' }],
  watchLimit: 65_536,
};

describe('machines add on a terminal', () => {
  let bench: Bench;
  let probes: MachinesProbeParams[];
  let adds: MachinesAddParams[];

  beforeEach(async () => {
    [probes, adds] = [[], []];
    bench = await Bench.open();
  });
  afterEach(() => bench.close());

  async function hub(report: ProbeReport, more: Partial<HubService> = {}): Promise<void> {
    await bench.hub({
      'machines/probe': (params) => {
        probes.push(params);
        const dryRun = {
          toMachine: { files: 7, bytes: 700 },
          fromMachine: [{ machine: 'xps', files: 4, bytes: 5_000 }],
          conflicts: { total: 0, examples: [] },
          notCompared: 0,
          sweptThere: 0,
        };
        return Promise.resolve({ kind: 'probed', report, dryRun });
      },
      'machines/add': (params) => {
        adds.push(params);
        const settingsKept =
          params.cleanUpDays === null ? null : '/home/thh3/.claude/.claude-sync/undo/settings.json-1';
        return Promise.resolve({
          machine: params.machine,
          config: '/etc/config.jsonc',
          createdClaudeDir: params.createClaudeDir,
          settingsKept,
          inForce: true,
        });
      },
      ...more,
    });
  }

  /** Runs a command and types an answer to each question, as it is asked; the end of input when there are no more. */
  async function answering(answers: readonly string[], ...args: string[]): Promise<Run & { readonly asked: string[] }> {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const world = { ...bench.surroundings({ tty: true }), stdin };
    const left = [...answers];
    const asked: string[] = [];
    world.stderr.on('data', (data: Buffer) => {
      const question = /[^\n]*\[y\/N\] $/.exec(data.toString())?.[0];
      if (question === undefined) return;
      asked.push(question);
      const answer = left.shift();
      setImmediate(() => (answer === undefined ? stdin.end() : stdin.write(`${answer}\n`)));
    });
    const code = await runCli(['machines', 'add', ...args], world);
    return { code, stdout: world.stdout.text, stderr: world.stderr.text, asked };
  }

  it('shows what it found and what would be better, and asks before it writes', async () => {
    await hub(REPORT);
    const { code, stdout, asked } = await answering(['y', 'y'], 'rog', 'thh3@rog');
    assert.equal(code, 0);
    for (const text of [
      'linux, x86_64',
      '/home/thh3/code/app (3)',
      'inotify-tools',
      'apt-get install rsync',
      '120.0 s off',
    ])
      assert.ok(stdout.includes(text), text);
    assert.match(stdout, /bring to rog: about 7 files/);
    assert.match(stdout, /bring from rog to xps: about 4 files/);
    assert.equal(asked.length, 2);
    assert.match(asked[0]!, /after 30 days. Make that 365/);
    assert.deepEqual(probes[0], { machine: 'rog', target: { host: 'rog', user: 'thh3' }, acceptHostKeys: [] });
    assert.equal(adds[0]?.cleanUpDays, 365);
    assert.match(stdout, /settings.json as it was: .*undo\/settings.json-1/);
  });

  it('a no, and the end of input, change nothing', async () => {
    await hub(REPORT);
    for (const answers of [['n', 'n'], ['y', 'n'], []]) {
      const { code, stdout } = await answering(answers, 'rog', 'rog');
      assert.equal(code, 1);
      assert.match(stdout, /nothing was changed/);
    }
    assert.deepEqual(adds, []);
  });

  it('a no to longer keeping adds the machine and leaves settings.json alone; --yes does not touch it either', async () => {
    await hub(REPORT);
    assert.equal((await answering(['n', 'y'], 'rog', 'rog')).code, 0);
    assert.equal((await answering([], 'rog', 'rog', '--yes')).code, 0);
    assert.deepEqual(
      adds.map(({ cleanUpDays }) => cleanUpDays),
      [null, null],
    );
    assert.equal((await answering([], 'rog', 'rog', '--yes', '--raise-clean-up', '400')).code, 0);
    assert.equal(adds[2]?.cleanUpDays, 400);
  });

  it('an unknown host key is shown with how to compare it, and goes on with a yes only', async () => {
    const question = {
      server: 'thh3@rog:22',
      type: 'ssh-ed25519',
      fingerprint: FINGERPRINT,
      file: '/home/me/.ssh/known_hosts',
      compareWith: 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
    };
    const service: Partial<HubService> = {
      'machines/probe': (params) => {
        probes.push(params);
        return Promise.resolve(
          params.acceptHostKeys.includes(FINGERPRINT)
            ? {
                kind: 'probed',
                report: { ...REPORT, cleanUp: { days: 365, isDefault: false, problem: null } },
                dryRun: null,
              }
            : { kind: 'host-key', question },
        );
      },
    };
    await hub(REPORT, service);
    const refused = await answering(['n'], 'rog', 'rog');
    assert.equal(refused.code, 1);
    assert.ok(refused.stderr.includes(FINGERPRINT));
    assert.ok(refused.stderr.includes(question.compareWith));
    assert.deepEqual([probes.length, adds.length], [1, 0]);
    const accepted = await answering(['y', 'y'], 'rog', 'rog');
    assert.equal(accepted.code, 0, accepted.stderr);
    assert.deepEqual(probes.at(-1)?.acceptHostKeys, [FINGERPRINT]);
    // A general yes is no answer to this.
    const general = await answering(['n'], 'rog', 'rog', '--yes');
    assert.equal(general.code, 1);
    assert.equal(general.asked.length, 1);
  });

  it('a folder of the hub itself needs no connection', async () => {
    await hub(REPORT);
    assert.equal((await answering(['y'], 'box', '--local', 'box/.claude')).code, 0);
    assert.deepEqual(adds[0]?.entry, { transport: 'local', claudeDir: `${bench.folder}/box/.claude` });
    assert.deepEqual(probes, []);
  });

  it('a destination and --local exclude each other, and one is needed', async () => {
    assert.equal((await bench.run(['machines', 'add', 'rog', '--yes'])).code, 2);
    assert.equal((await bench.run(['machines', 'add', 'rog', 'rog', '--local', 'x', '--yes'])).code, 2);
  });
});
