import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import type { MachinesTestResult, TestStep } from '../../src/protocol/probe.ts';
import { makeCommandFolder } from '../fixtures/ssh/command-folder.ts';
import { makeKey } from '../fixtures/ssh/sshd.ts';
import { NewMachine } from './new-machine.ts';
import { SshGround } from './ssh-ground.ts';

describe('machines test', function () {
  this.timeout(60_000);
  let made: NewMachine;

  before(skipWhere(() => SshGround.unavailable()));

  const folders: string[] = [];

  afterEach(async () => {
    await made.close();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function open(...words: Parameters<typeof NewMachine.open>): Promise<void> {
    made = await NewMachine.open(...words);
    await made.home.make();
    await made.ground.json('machines', 'add', ...made.place, '--yes');
  }

  /** Runs it and finds the step that is asked for. */
  async function stepsOf(code: number): Promise<Map<string, TestStep>> {
    const ran = await made.ground.run('machines', 'test', 'rog', '--json');
    assert.equal(ran.code, code, ran.stderr + ran.stdout);
    const [result] = (JSON.parse(ran.stdout) as { machines: MachinesTestResult[] }).machines;
    assert.equal(result?.passed, code === 0);
    return new Map(result.steps.map((step) => [step.step, step]));
  }

  it('a machine that is well passes every step, with times, and nothing is left behind there', async () => {
    await open();
    const steps = await stepsOf(0);
    assert.deepEqual(
      [...steps.keys()],
      [
        'resolve',
        'connect',
        'sftp',
        'host-key',
        'sign-in',
        'shell',
        'watcher',
        'rsync',
        'clock',
        'round-trip',
        'folder',
        'write',
      ],
    );
    for (const { step, outcome, fix } of steps.values()) assert.deepEqual([step, outcome, fix], [step, 'ok', null]);
    for (const step of ['resolve', 'connect', 'sftp', 'shell', 'write']) assert.ok(steps.get(step)!.ms! > 0, step);
    assert.match(steps.get('write')!.message, /1 MB up with [\d.]+ MB\/s, down with/);
    assert.deepEqual(await readdir(made.home.claudeDir), ['projects']);
  });

  it('a running hub does it with its own settings; without a name all machines are tried', async () => {
    await open();
    await made.ground.startHub();
    const { code, stdout } = await made.ground.run('machines', 'test');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /xps: all that is needed works/);
    assert.match(stdout, /rog: all that is needed works/);
  });

  it('a key that is not let in: the step is named, those before it passed, and the fix is said', async () => {
    await open();
    await made.machine.authorize('');
    const steps = await stepsOf(1);
    assert.equal(steps.get('connect')!.outcome, 'ok');
    assert.equal(steps.get('host-key')!.outcome, 'ok');
    assert.equal(steps.get('sign-in')!.outcome, 'failed');
    assert.match(steps.get('sign-in')!.fix!, /ssh-copy-id/);
  });

  it('a host key that changed: the step is named, and the fix is said', async () => {
    await open();
    const other = join(made.ground.root, 'another-key');
    await makeKey(other);
    await made.machine.rememberHostKey(await readFile(`${other}.pub`, 'utf8'));
    const steps = await stepsOf(1);
    assert.equal(steps.get('host-key')!.outcome, 'failed');
    assert.match(steps.get('host-key')!.fix!, /ssh-keygen -R/);
  });

  it('nobody there: the step is named, and the fix is said', async () => {
    await open();
    await made.machine.sshd.end();
    await made.machine.link.close();
    const steps = await stepsOf(1);
    assert.equal(steps.get('connect')!.outcome, 'failed');
    assert.ok(steps.get('connect')!.fix);
  });

  it('no Claude folder: the step is named, and the fix is said', async () => {
    await open();
    await rm(made.home.claudeDir, { recursive: true });
    const steps = await stepsOf(1);
    assert.match(steps.get('folder')!.message, /missing/);
    assert.ok(steps.get('folder')!.fix);
  });

  it('no watcher and no rsync there: it passes, with a warning each that says what to install', async () => {
    const commands = await mkdtemp(join(tmpdir(), 'claude-sync-commands-'));
    folders.push(commands);
    await open({ path: await makeCommandFolder(commands, ['inotifywait', 'inotifywatch', 'fswatch', 'rsync']) });
    const steps = await stepsOf(0);
    assert.deepEqual([steps.get('watcher')!.outcome, steps.get('rsync')!.outcome], ['warning', 'warning']);
    assert.match(steps.get('watcher')!.fix!, /inotify-tools/);
    assert.match(steps.get('rsync')!.fix!, /apt-get install rsync/);
  });
});
