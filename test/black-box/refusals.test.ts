import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Ground, newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { record } from './records.ts';

/** `nobody`: root may read everything, so what may not be read is tried as somebody else. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe('things that are not carried', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;

  async function open(options: Parameters<typeof Ground.open>[0] = {}): Promise<void> {
    ground = await Ground.open({ machines: ['rog', 'mac'], ...options });
    rog = ground.home('rog');
    mac = ground.home('mac');
  }

  afterEach(() => ground.close());

  /** Every one of these is named, with a reason, in `status` (counted, the first one told) and in `doctor`. */
  async function assertNamed(paths: readonly string[]): Promise<void> {
    const { notWaitedFor } = await ground.settle();
    const { findings } = await ground.json<{
      findings: { check: string; machine: string; message: string; fix: string | null }[];
    }>('doctor');
    const report = await ground.report('rog');
    for (const path of paths) {
      assert.ok(
        notWaitedFor.some(({ machine, key }) => machine === 'rog' && key === path),
        `wait names ${JSON.stringify(path)}: ${JSON.stringify(notWaitedFor)}`,
      );
      const finding = findings.find(({ machine, message }) => machine === 'rog' && message.startsWith(path));
      assert.ok(finding?.fix, `doctor names ${JSON.stringify(path)}: ${JSON.stringify(findings)}`);
    }
    assert.equal(report.unsettled?.unreadable, paths.length);
    assert.ok(report.reason, 'status tells one of them');
  }

  it('a symlink out of the tree, a symlinked folder, a FIFO and a socket: named, never followed, and the rest syncs', async () => {
    await open();
    const secret = join(ground.root, 'secret.txt');
    await writeFile(secret, 'TOP SECRET');
    await mkdir(join(ground.root, 'folder'));
    await writeFile(join(ground.root, 'folder', 'inside.md'), 'TOP SECRET');
    await rog.write('agents/good.md', 'good\n');
    await symlink(secret, rog.file('agents/link.md'));
    await symlink(join(ground.root, 'folder'), rog.file('rules'));
    execFileSync('mkfifo', [rog.file('agents/pipe.md')]);
    const server = await listen(rog.file('agents/socket.md'));
    try {
      await ground.startHub();
      await assertNamed(['agents/link.md', 'rules', 'agents/pipe.md', 'agents/socket.md']);
      assert.deepEqual(await mac.files(), ['agents/good.md']);

      await rog.remove('agents/link.md');
      await rog.write('agents/link.md', 'a file now\n');
      await ground.settle();
      assert.equal(await mac.text('agents/link.md'), 'a file now\n');
      assert.equal((await ground.report('rog')).unsettled?.unreadable, 3, 'what was put right is not told any more');
      await rog.remove('agents/pipe.md');
      await ground.settle();
      assert.equal((await ground.report('rog')).unsettled?.unreadable, 2, 'nor is what is gone');
    } finally {
      server.close();
    }
  });

  it('a folder on the receiving machine that is a symlink is not written through', async () => {
    await open();
    const outside = join(ground.root, 'outside');
    await mkdir(outside);
    await symlink(outside, mac.file('agents'));
    await rog.write('agents/good.md', 'good\n');
    await rog.write('rules/r.md', 'rule\n');
    await ground.startHub();
    await ground.settle();
    assert.equal(await mac.text('rules/r.md'), 'rule\n');
    assert.equal(await mac.text('agents/good.md'), null);
    assert.match((await ground.report('mac')).reason ?? '', /agents/);
  });

  it('names that would be dangerous elsewhere are named and stay, and the rest syncs', async () => {
    await open();
    const names = [
      'agents/new\nline.md',
      'agents/esc\u001b[31m.md',
      'agents/dot.',
      'agents/space ',
      'agents/back\\slash.md',
      'agents/C:evil.md',
      'agents/nul.md',
      'agents/CREDEN~1.md',
    ];
    for (const name of names) await rog.write(name, 'x\n');
    await rog.write('agents/...md', 'fine\n');
    await rog.write('agents/good.md', 'good\n');
    await ground.startHub();
    const { notWaitedFor } = await ground.settle();
    for (const name of names)
      assert.ok(
        notWaitedFor.some(({ key }) => key === name),
        `wait names ${JSON.stringify(name)}`,
      );
    assert.deepEqual(await mac.files(), ['agents/...md', 'agents/good.md']);
    const { stdout } = await ground.run('doctor');
    const forged = ['\u001b', 'new\nline'].filter((text) => stdout.includes(text));
    assert.deepEqual(forged, [], 'what a machine calls its files cannot forge lines or colours here');
  });

  it('secrets never leave, wherever they lie and however they are spelled', async () => {
    await open();
    const secrets = [
      '.credentials.json',
      '.Credentials.json',
      'skills/x/.env',
      'skills/x/.ENV.local',
      'skills/x/id_rsa',
      'agents/server.pem',
      'skills/x/node_modules/y.js',
      'skills/x/.git/config',
      'sessions/1.json',
      '.claude.json',
      'unknown-file',
      'ide/lock',
      'settings.local.json',
    ];
    for (const path of secrets) await rog.write(path, 'SECRET-TOKEN');
    await rog.write('skills/x/SKILL.md', '# x\n');
    await ground.startHub();
    await ground.settle();
    for (const path of secrets) await rog.write(path, 'SECRET-TOKEN again');
    await ground.restartHub();
    await ground.settle();
    assert.match(await readFile(`/proc/${ground.hubPid}/status`, 'utf8'), /^Umask:\s+0077$/m);
    assert.deepEqual(await mac.files(), ['skills/x/SKILL.md']);
    assert.equal(grepFolder(ground.dataDir, 'SECRET-TOKEN'), '');
  });

  it('a file and a folder that may not be read are named, nothing in them counts as deleted, and the rest syncs', async function () {
    if (!isRoot) return this.skip(); // Only root can start a hub as somebody else, and the test user may read its own files.
    await open({ uid: NOBODY });
    const session = newSession();
    const path = rog.sessionPath(session);
    await rog.append(path, record({ session, home: rog, name: 'one' }));
    await rog.write('agents/closed.md', 'closed\n');
    await rog.write('rules/one.md', 'one\n');
    await rog.write('rules/two.md', 'two\n');
    await ground.giveAway(ground.root);
    await ground.startHub();
    const first = await ground.settle();
    assert.equal((await mac.files()).length, 4, JSON.stringify({ first, said: ground.said }));

    await writeFile(rog.file('agents/closed.md'), 'changed\n');
    await chmod(rog.file('agents/closed.md'), 0);
    await chmod(rog.file('rules'), 0);
    await rog.write('agents/new.md', 'new\n');
    await ground.giveAway(rog.file('agents/new.md'));
    await until('the rest syncs', async () => (await ground.settle(), (await mac.text('agents/new.md')) === 'new\n'));
    await ground.restartHub();
    await assertNamed(['agents/closed.md', 'rules']);
    for (const kept of ['rules/one.md', 'rules/two.md', 'agents/closed.md']) assert.ok(await mac.read(kept), kept);

    await chmod(rog.file('rules'), 0o700);
    await chmod(rog.file('agents/closed.md'), 0o600);
    await ground.settle();
    assert.equal(await mac.text('agents/closed.md'), 'changed\n');
    assert.equal((await ground.report('rog')).unsettled?.unreadable, 0);
    assert.deepEqual(await ground.versions('rules/one.md'), []);
  });
});

function listen(path: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => server.once('error', reject).listen(path, () => resolve(server)));
}

/** Files below `folder` that hold `text`; '' when there are none. */
function grepFolder(folder: string, text: string): string {
  try {
    return execFileSync('grep', ['-rl', text, folder], { encoding: 'utf8' });
  } catch (error) {
    if ((error as { status?: number }).status === 1) return '';
    throw error;
  }
}
