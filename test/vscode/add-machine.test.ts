import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { RemoteGround } from '../client/remote/ground.ts';
import { skipWhere, whyNoSshd } from '../fixtures/ssh/availability.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { View } from './view.ts';

describe('adding a machine from VS Code', function () {
  this.timeout(180_000);
  let there: RemoteGround;
  let vscode: VsCodeGround;
  let machines: View;

  before(needsWorkbench);
  before(skipWhere(() => whyNoSshd()));
  before(async () => {
    there = await RemoteGround.make();
    await writeFile(there.server.knownHostsFile, '');
    await mkdir(join(there.home, '.claude', 'agents'), { recursive: true });
    await writeFile(join(there.home, '.claude', 'agents', 'theirs.md'), 'theirs\n');
    // ssh reads the configuration of the user that the system knows, whatever HOME says; these tests leave that one alone.
    const bin = join(there.ssh.root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F '${there.sshConfigFile}' "$@"\n`);
    await chmod(join(bin, 'ssh'), 0o755);
    const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    vscode = await VsCodeGround.open({ hub: false, ground: { machines: ['xps'], env } });
    const { ground } = vscode;
    await mkdir(join(ground.root, '.ssh'), { mode: 0o700 });
    await writeFile(join(ground.root, '.ssh', 'config'), await readFile(there.sshConfigFile));
    await ground.home('xps').write('agents/mine.md', 'mine\n');
    await ground.startHub();
    machines = await vscode.workbench.openView('Claude Sync', 'Machines');
  });
  after(async () => {
    await vscode?.close();
    await there?.end();
  });

  async function addThere(name: string): Promise<void> {
    const { quickInput } = vscode.workbench;
    await vscode.workbench.runCommand('Claude Sync: Add Machine…');
    await quickInput.pick(/^there/);
    await until('the name is asked for', async () => (await quickInput.title()).includes('(2/3)'));
    await quickInput.enter(name);
  }

  it('can be left at each step without a change', async () => {
    const { workbench, ground } = vscode;
    const before = await readFile(ground.configFile, 'utf8');
    await machines.titleAction('Add Machine');
    await workbench.screenshot('add-machine-which');
    assert.match((await workbench.quickInput.visibleRows()).join('\n'), /there\s+root@127\.0\.0\.1:\d+/);
    await workbench.quickInput.cancel();
    await addThere('far');
    assert.match(await workbench.messages.dialogText(), /host key of root@127\.0\.0\.1:\d+ is not known/);
    await workbench.messages.answer('Cancel');
    assert.equal(await readFile(ground.configFile, 'utf8'), before);
    assert.equal(await readFile(there.server.knownHostsFile, 'utf8'), '');
  });

  it('says what is wrong with a name, and with a server', async () => {
    const { quickInput } = vscode.workbench;
    await vscode.workbench.runCommand('Claude Sync: Add Machine…');
    await quickInput.pick(/Another SSH Server/);
    await quickInput.type('-oProxyCommand=evil');
    await quickInput.messageWith(/names no SSH server/);
    await quickInput.enter('there');
    await until('the name is asked for', async () => (await quickInput.title()).includes('(2/3)'));
    await quickInput.type('xps');
    await quickInput.messageWith(/There is a machine xps already/);
    await quickInput.type('two words');
    await quickInput.messageWith(/only letters, digits/);
    await quickInput.cancel();
  });

  it('shows what the first sync would do, adds the machine, and carries both ways', async () => {
    const { workbench, ground } = vscode;
    await addThere('far');
    await workbench.messages.answer('Accept Key');
    const question = await workbench.messages.dialogText();
    await workbench.screenshot('add-machine-dry-run');
    assert.match(question, /Add far \(root@127\.0\.0\.1:\d+\)\?/);
    assert.match(question, /bring to far: about 1 file/);
    assert.match(question, /bring from far to xps: about 1 file/);
    assert.match(question, /delete nothing/);
    await workbench.messages.answer('Add, and Keep Conversations 365 Days There');
    await machines.waitForItem(/^far/);
    await until('theirs is here', async () => (await ground.home('xps').text('agents/theirs.md')) === 'theirs\n');
    const mine = join(there.home, '.claude', 'agents', 'mine.md');
    await until('mine is there', () =>
      readFile(mine, 'utf8').then(
        (text) => text === 'mine\n',
        () => false,
      ),
    );
    const settings = await readFile(join(there.home, '.claude', 'settings.json'), 'utf8');
    assert.equal(JSON.parse(settings).cleanupPeriodDays, 365);
  });

  it('opens the configuration where it speaks of the machine', async () => {
    const { workbench } = vscode;
    await machines.contextMenu(/^far/, /Open Configuration of a Machine/);
    await workbench.page.locator('.tab', { hasText: 'config.jsonc' }).first().waitFor();
    const line = JSON.stringify((await readFile(vscode.ground.configFile, 'utf8')).split('\n'));
    const at = (JSON.parse(line) as string[]).findIndex((text) => text.includes('"far"')) + 1;
    await workbench.waitForStatus(new RegExp(`Ln ${at},`));
  });

  it('offers it no more, and takes it out again', async () => {
    const { workbench, ground } = vscode;
    await workbench.runCommand('Claude Sync: Add Machine…');
    assert.doesNotMatch((await workbench.quickInput.visibleRows()).join('\n'), /^there/m);
    await workbench.quickInput.cancel();
    await machines.contextMenu(/^far/, /Remove Machine/);
    await workbench.messages.answer('Remove');
    await until('it is gone', async () => (await ground.status()).machines.every(({ name }) => name !== 'far'));
    assert.equal(await readFile(join(there.home, '.claude', 'agents', 'mine.md'), 'utf8'), 'mine\n');
  });
});
