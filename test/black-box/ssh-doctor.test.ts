import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import type { Finding } from '../../src/protocol/doctor.ts';
import { makeCommandFolder } from '../fixtures/ssh/command-folder.ts';
import { skewed } from '../fixtures/ssh/skewed.ts';
import { SshGround, type SshGroundOptions } from './ssh-ground.ts';

describe('doctor, for machines over SSH', function () {
  this.timeout(90_000);
  let ground: SshGround;
  const folders: string[] = [];

  before(skipWhere(() => SshGround.unavailable()));

  afterEach(async () => {
    await ground.hub.endHub('SIGKILL');
    await ground.close();
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });

  async function open(options: SshGroundOptions): Promise<void> {
    ground = await SshGround.open(options);
    await ground.hub.startHub();
  }

  /** Findings of each machine by check. */
  async function findings(): Promise<(machine: string, check: string) => Finding | undefined> {
    const { stdout } = await ground.hub.run('doctor', '--json');
    const all = (JSON.parse(stdout) as { findings: Finding[] }).findings;
    for (const { severity, fix, message } of all) assert.ok(severity === 'ok' || fix !== null, `no fix: ${message}`);
    return (machine, check) => all.find((one) => one.machine === machine && one.check === check);
  }

  it('machines that are well: all is well, also with one that has file transfer alone', async () => {
    await open({});
    await ground.assertCaughtUp([]);
    const of = await findings();
    for (const machine of ['rog', 'mac', 'nelly'])
      for (const check of ['reachable', 'watcher', 'rsync', 'clock', 'sftp', 'disk'])
        assert.equal(of(machine, check)?.severity, 'ok', `${machine} ${check}: ${of(machine, check)?.message}`);
    assert.match(of('rog', 'watcher')!.message, /inotifywait/);
    assert.match(of('mac', 'watcher')!.message, /fswatch/);
    assert.match(of('nelly', 'watcher')!.message, /poll/);
    assert.ok(of('rog', 'watch-limit'));
    assert.equal(of('nelly', 'watch-limit'), undefined);
    assert.equal(of('rog', 'clean-up')?.severity, 'warning');
  });

  it('what is missing there is named with what to install', async () => {
    const commands = await mkdtemp(join(tmpdir(), 'claude-sync-commands-'));
    folders.push(commands);
    const path = await makeCommandFolder(commands, ['inotifywait', 'inotifywatch', 'fswatch', 'rsync']);
    await open({
      spokes: ['rog'],
      differences: { rog: () => ({ sshd: { path } }) },
    });
    await ground.untilStatus('rog', 'online', 30_000);
    const of = await findings();
    assert.match(of('rog', 'watcher')!.fix!, /inotify-tools/);
    assert.match(of('rog', 'rsync')!.fix!, /apt-get install rsync/);
  });

  it('a clock that is a day ahead is told', async () => {
    await open({ spokes: ['rog'], differences: { rog: (home) => ({ sshd: skewed(86_400, home.path) }) } });
    await ground.untilStatus('rog', 'online', 30_000);
    const of = await findings();
    assert.match(of('rog', 'clock')!.message, /864\d\d s ahead/);
    assert.match(of('rog', 'clock')!.fix!, /time of the network/);
  });

  it('a machine that does not answer any more hides nothing of the others', async () => {
    await open({ spokes: ['rog', 'mac'] });
    await ground.assertCaughtUp([]);
    const thaw = await ground.machine('rog').freeze();
    const begun = Date.now();
    const of = await findings();
    assert.ok(Date.now() - begun < 25_000);
    assert.equal(of('mac', 'watcher')?.severity, 'ok');
    assert.ok(of('rog', 'answers') ?? (of('rog', 'reachable')?.severity === 'problem' || undefined));
    thaw();
  });

  it('a key that is not let in: why, and what lets it in', async () => {
    ground = await SshGround.open({ spokes: ['rog', 'mac'] });
    await ground.machine('rog').authorize('');
    await ground.hub.startHub();
    await ground.untilStatus('mac', 'online', 30_000);
    const of = await findings();
    assert.equal(of('rog', 'reachable')?.severity, 'problem');
    assert.match(of('rog', 'reachable')!.message, /refused/);
    assert.match(of('rog', 'reachable')!.fix!, /^Let the key in there: ssh-copy-id/);
    assert.equal(of('mac', 'reachable')?.severity, 'ok');
  });

  it('no Claude folder there: it is said, whatever was wrong before', async () => {
    ground = await SshGround.open({ spokes: ['rog'] });
    await rm(ground.home('rog').claudeDir, { recursive: true });
    await ground.hub.startHub();
    const of = await findings();
    assert.equal(of('rog', 'reachable')?.severity, 'problem');
    assert.match(of('rog', 'reachable')!.fix!, /Claude folder/);
  });
});
