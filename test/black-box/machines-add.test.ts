import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import type { DryRun, MachinesAddResult, ProbeReport } from '../../src/protocol/probe.ts';
import { makeKey } from '../fixtures/ssh/sshd.ts';
import { newSession, until } from './ground.ts';
import { NewMachine } from './new-machine.ts';
import { record } from './records.ts';
import { SshGround } from './ssh-ground.ts';

interface Told {
  readonly machine: string;
  readonly report: ProbeReport;
  readonly dryRun: DryRun | null;
  readonly added: MachinesAddResult | null;
}

describe('machines add', function () {
  this.timeout(90_000);
  let made: NewMachine;

  before(skipWhere(() => SshGround.unavailable()));

  afterEach(() => made.close());

  const ground = () => made.ground;
  const machines = async () =>
    Object.keys((JSON.parse(await readFile(ground().configFile, 'utf8')) as { machines: object }).machines);
  const line = (session: string, text: string) => record({ session, home: made.home, name: text, parent: null, text });
  const fingerprint = () =>
    /SHA256:\S+/.exec(
      execFileSync('ssh-keygen', ['-l', '-f', join(made.machine.sshd.folder, 'host_ed25519.pub')], {
        encoding: 'utf8',
      }),
    )![0];

  it('a dry run tells what the machine is and what the first sync would do, and changes nothing', async () => {
    made = await NewMachine.open();
    const [here, there] = [newSession(), newSession()];
    const xps = ground().home('xps');
    await xps.append(xps.sessionPath(here), 'x'.repeat(999));
    await xps.write('agents/same.md', 'the same\n');
    await xps.write('agents/other.md', 'one way\n');
    await made.fill(there, [line(there, 'hello')]);
    await made.home.write('agents/same.md', 'the same\n');
    await made.home.write('agents/other.md', 'another\n');
    await made.home.write('.credentials.json', '{"secret": true}');
    await made.home.age(made.home.sessionPath(there), 40);
    await ground().startHub();
    await ground().settle();
    const [filesBefore, configBefore] = [await readdir(made.home.claudeDir), await readFile(ground().configFile)];

    const { report, dryRun, added } = await ground().json<Told>('machines', 'add', ...made.place, '--dry-run');
    assert.equal(added, null);
    assert.equal(report.os, 'linux');
    assert.equal(report.architecture, execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim());
    assert.equal(report.home, made.home.path);
    assert.deepEqual(report.claudeDir, { path: made.home.claudeDir, state: 'present' });
    assert.deepEqual(report.watcher, { kind: 'inotifywait', fix: null });
    assert.match(`${report.rsync.there} ${report.rsync.here}`, /^rsync 3\.\d+ rsync 3\.\d+$/);
    assert.equal(report.sessions, 1);
    assert.deepEqual(report.projects, { total: 1, known: [{ path: made.home.project, sessions: 1 }] });
    assert.equal(report.synced.files, 3, 'the conversation and two agents, and no credentials');
    assert.deepEqual(report.cleanUp, { days: 30, isDefault: true, problem: null });
    assert.ok(Math.abs(report.clockOffsetMs!) < 3_000);
    assert.ok(report.space!.freeBytes > 0);
    assert.deepEqual(report.lacks, []);
    assert.equal(report.watchLimit, Number(await readFile('/proc/sys/fs/inotify/max_user_watches', 'utf8')));

    assert.ok(dryRun);
    assert.deepEqual(dryRun.toMachine, { files: 1, bytes: 1000 });
    const length = (await made.home.read(made.home.sessionPath(there)))!.length;
    assert.deepEqual(dryRun.fromMachine, [{ machine: 'xps', files: 1, bytes: length }]);
    assert.deepEqual(dryRun.conflicts, { total: 1, examples: ['agents/other.md'] });
    assert.equal(dryRun.notCompared, 0);
    assert.equal(dryRun.sweptThere, 1);

    assert.deepEqual(await readdir(made.home.claudeDir), filesBefore);
    assert.deepEqual(await readFile(ground().configFile), configBefore);
    const { stdout } = await ground().run('machines', 'add', ...made.place, '--dry-run');
    assert.match(stdout, /inotifywait/);
    assert.match(stdout, /bring to rog: about 1 file, /);
    assert.match(stdout, /agents\/other\.md/);
    assert.match(stdout, /1 conversation is older than the clean-up/);
  });

  it('a running hub takes the machine up by itself, and both sides are united', async () => {
    made = await NewMachine.open();
    const [here, there] = [newSession(), newSession()];
    const xps = ground().home('xps');
    await xps.append(xps.sessionPath(here), record({ session: here, home: xps, name: 'a', parent: null, text: 'a' }));
    await made.fill(there, [line(there, 'hello')]);
    await ground().startHub();
    const { added } = await ground().json<Told>('machines', 'add', ...made.place, '--yes');
    assert.equal(added?.inForce, true);
    assert.deepEqual(await machines(), ['xps', 'rog']);
    await until(
      'rog is level',
      async () =>
        (await ground().run('wait', '--timeout', '20')).code === 0 &&
        (await ground().report('rog')).status === 'online',
    );
    assert.ok(await made.home.read(made.home.sessionPath(here)));
    assert.ok(await xps.read(xps.sessionPath(there)));
  });

  it('without a terminal and without --yes: refused before anything is done, exit 2', async () => {
    made = await NewMachine.open();
    await made.home.make();
    const { code, stderr, stdout } = await ground().run('machines', 'add', ...made.place);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /--yes/);
    assert.deepEqual(await machines(), ['xps']);
    assert.equal(await made.machine.sshd.sessions().then((pids) => pids.length), 0);
  });

  it('without a running hub: added all the same, and the next step is said', async () => {
    made = await NewMachine.open();
    await made.home.make();
    const { code, stdout, stderr } = await ground().run('machines', 'add', ...made.place, '--yes');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /claude-sync up/);
    assert.deepEqual(await machines(), ['xps', 'rog']);
    const again = await ground().run('machines', 'add', ...made.place, '--yes');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /already/);
  });

  it('an unknown host key is accepted with its very fingerprint only, and then known to ssh as well', async () => {
    made = await NewMachine.open();
    await made.home.make();
    // As an editor leaves it: the last line has no end.
    await writeFile(
      made.knownHosts,
      'elsewhere.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPmSV7aUbCqq3qSMPTC1K2a3mxC0yUxkWDuSYMdSeZi',
    );
    const refused = await ground().run('machines', 'add', ...made.place, '--yes');
    assert.equal(refused.code, 1);
    assert.ok(refused.stderr.includes(fingerprint()));
    assert.match(refused.stderr, /ssh-keygen -lf .*--accept-host-key/s);
    const wrong = await ground().run('machines', 'add', ...made.place, '--yes', '--accept-host-key', 'SHA256:wrong');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /not SHA256:wrong/);
    assert.deepEqual(await machines(), ['xps']);
    assert.equal((await readFile(made.knownHosts, 'utf8')).split('\n').length, 1);

    const right = await ground().run('machines', 'add', ...made.place, '--yes', '--accept-host-key', fingerprint());
    assert.equal(right.code, 0, right.stderr);
    const { link, sshd } = made.machine;
    // Not in one go: the link is in this process.
    const { stdout } = await promisify(execFile)('ssh', [
      ...['-F', 'none', '-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${made.knownHosts}`],
      ...[
        '-o',
        'IdentitiesOnly=yes',
        '-i',
        sshd.identityFile,
        '-p',
        String(link.port),
        `root@${link.host}`,
        'echo known',
      ],
    ]);
    assert.equal(stdout.trim(), 'known');
  });

  it('a changed host key is refused, whatever is accepted', async () => {
    made = await NewMachine.open();
    await made.home.make();
    const other = join(ground().root, 'another-key');
    await makeKey(other);
    await made.machine.rememberHostKey(await readFile(`${other}.pub`, 'utf8'));
    const before = await readFile(made.knownHosts);
    const { code, stderr } = await ground().run(
      'machines',
      'add',
      ...made.place,
      '--yes',
      '--accept-host-key',
      fingerprint(),
    );
    assert.equal(code, 1);
    assert.match(stderr, /not the one that is known/);
    assert.deepEqual(await readFile(made.knownHosts), before);
    assert.deepEqual(await machines(), ['xps']);
  });

  it('no Claude folder there: it is made on request, for its user alone', async () => {
    made = await NewMachine.open();
    const seen = await ground().run('machines', 'add', ...made.place, '--dry-run');
    assert.match(seen.stdout, /not there yet/);
    const { added } = await ground().json<Told>('machines', 'add', ...made.place, '--yes');
    assert.equal(added?.createdClaudeDir, true);
    assert.equal((await stat(made.home.claudeDir)).mode & 0o777, 0o700);
  });

  it('--raise-clean-up changes one value of settings.json, keeps the rest as it was, and a copy of the old file', async () => {
    made = await NewMachine.open();
    await made.home.make();
    const settings = '{\r\n\t"model": "opus",\r\n\t"cleanupPeriodDays": 20\r\n}\r\n';
    await made.settings(settings);
    const plain = await ground().json<Told>('machines', 'add', ...made.place, '--yes');
    assert.equal(plain.report.cleanUp.days, 20);
    assert.equal(await made.home.text('settings.json'), settings, 'not without being asked to');
    await ground().json('machines', 'remove', 'rog', '--yes');
    const { added } = await ground().json<Told>('machines', 'add', ...made.place, '--yes', '--raise-clean-up');
    assert.equal(await made.home.text('settings.json'), settings.replace('20', '365'));
    assert.equal(await readFile(added!.settingsKept!, 'utf8'), settings);
    assert.deepEqual(await readdir(join(made.home.claudeDir, '.claude-sync', 'tmp')), []);
  });

  it('settings.json that is no JSON is left alone, and nothing is added', async () => {
    made = await NewMachine.open();
    await made.home.make();
    await made.settings('{ broken');
    const told = await ground().json<Told>('machines', 'add', ...made.place, '--dry-run');
    assert.match(told.report.cleanUp.problem!, /JSON/);
    const { code, stderr } = await ground().run('machines', 'add', ...made.place, '--yes', '--raise-clean-up');
    assert.equal(code, 1);
    assert.match(stderr, /settings.json is not changed.*configuration was not changed/s);
    assert.equal(await made.home.text('settings.json'), '{ broken');
    assert.deepEqual(await machines(), ['xps']);
  });

  it('a machine with file transfer alone is polled, and nothing that could not help is advised', async () => {
    made = await NewMachine.open({ kind: 'sftp-only' });
    await made.home.make();
    const { report } = await ground().json<Told>('machines', 'add', ...made.place, '--dry-run');
    assert.equal(report.hasShell, false);
    assert.deepEqual(report.watcher, { kind: 'poll', fix: null });
    assert.equal(report.rsync.fix, null);
  });

  it('a machine that does not answer: exit 1, why and what to do, nothing is written', async () => {
    made = await NewMachine.open();
    await made.machine.sshd.end();
    await made.machine.link.close();
    const { code, stderr } = await ground().run('machines', 'add', ...made.place, '--yes', '--json');
    assert.equal(code, 1);
    const { error } = JSON.parse(stderr) as { error: { code: string; next: string } };
    assert.equal(error.code, 'unreachable');
    assert.match(error.next, /SSH server/);
    assert.deepEqual(await machines(), ['xps']);
  });

  it('several that are added at once are all added', async () => {
    made = await NewMachine.open();
    await made.home.make();
    await ground().startHub();
    const names = ['a', 'b', 'c', 'd'];
    const folder = (name: string) => join(ground().root, 'folders', name, '.claude');
    const nowhere = await ground().run('machines', 'add', 'a', '--local', folder('a'), '--yes');
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /Nothing was changed.*Make the folder/s);
    for (const name of names) await mkdir(join(folder(name), '..'), { recursive: true });
    const runs = await Promise.all(
      names.map((name) => ground().run('machines', 'add', name, '--local', folder(name), '--yes')),
    );
    assert.deepEqual(
      runs.map(({ code, stderr }) => [code, stderr]),
      names.map(() => [0, '']),
    );
    assert.deepEqual((await machines()).sort(), [...names, 'xps']);
    await until('all are taken up', async () => (await ground().status()).machines.length === 5);
  });

  it('remove takes the machine out of a running hub and deletes nothing', async () => {
    made = await NewMachine.open();
    const there = newSession();
    await made.fill(there, [line(there, 'hello')]);
    await ground().startHub();
    await ground().json('machines', 'add', ...made.place, '--yes');
    await until('rog is read', async () => (await ground().archived(`session/${there}`)) !== null);
    assert.equal((await ground().run('machines', 'remove', 'rog')).code, 2, 'not without being asked');
    const removed = await ground().run('machines', 'remove', 'rog', '--yes');
    assert.equal(removed.code, 0, removed.stderr);
    assert.match(removed.stdout, /nothing was deleted/);
    assert.deepEqual(
      (await ground().status()).machines.map(({ name }) => name),
      ['xps'],
    );
    assert.ok(await made.home.read(made.home.sessionPath(there)));
    assert.ok(await ground().archived(`session/${there}`));
    assert.equal((await ground().run('machines', 'remove', 'rog', '--yes')).code, 1);
  });
});
