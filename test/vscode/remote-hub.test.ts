import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { skipWhere, whyNoSshd } from '../fixtures/ssh/availability.ts';
import { RemoteGround } from '../client/remote/ground.ts';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { View } from './view.ts';

describe('a hub on another machine, from VS Code', function () {
  this.timeout(180_000);
  let there: RemoteGround;
  let vscode: VsCodeGround;
  let machines: View;
  let knownHosts: string;

  before(needsWorkbench);
  before(skipWhere(() => whyNoSshd()));
  before(async () => {
    there = await RemoteGround.make();
    knownHosts = there.server.knownHostsFile;
    await writeFile(knownHosts, '');
    // ssh reads the configuration of the user that the system knows, whatever HOME says; these tests leave that one alone.
    const bin = join(there.ssh.root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F '${there.sshConfigFile}' "$@"\n`);
    await chmod(join(bin, 'ssh'), 0o755);
    vscode = await VsCodeGround.open({ hub: false, server: { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } } });
    machines = await vscode.workbench.openView('Claude Sync', 'Machines');
  });
  after(async () => {
    await vscode?.close();
    await there?.end();
  });

  async function useHubThere(): Promise<void> {
    await vscode.server.setMachineSettings({
      'claudeSync.hub.autoStart': 'never',
      'claudeSync.hub.host': 'there',
      'claudeSync.hub.dataDir': vscode.ground.dataDir,
    });
  }

  it('is asked about its host key first, and nothing is connected when that is turned down', async () => {
    const { workbench } = vscode;
    await vscode.ground.startHub();
    await useHubThere();
    const question = await workbench.messages.dialogText();
    await workbench.screenshot('host-key');
    assert.match(question, /host key of root@127\.0\.0\.1:\d+ is not known/);
    assert.match(question, /SHA256:/);
    await workbench.messages.answer('Cancel');
    await workbench.waitForStatus('Claude Sync');
    assert.ok((await machines.welcomeButtons()).includes('Restart Hub'));
    assert.equal(await readFile(knownHosts, 'utf8'), '');
  });

  it('is connected when the key is accepted, and shows its machines', async () => {
    const { workbench } = vscode;
    await workbench.runCommand('Claude Sync: Start Hub');
    await workbench.messages.answer('Accept Key');
    await workbench.waitForStatus(/In sync/);
    for (const name of ['rog', 'mac', 'xps']) await machines.waitForItem(new RegExp(`^${name}`));
    assert.match(await readFile(knownHosts, 'utf8'), /ssh-ed25519/);
  });

  it('is followed live', async () => {
    const { ground } = vscode;
    const { files } = await ground.report('xps');
    await ground.home('rog').append('agents/far.md', 'Written far away.');
    await machines.waitForItem(new RegExp(`^xps.*${files + 1} file`));
  });

  it('keeps its files: they are not opened here as if they were those of this computer', async () => {
    const { workbench } = vscode;
    await workbench.runCommand('Claude Sync: Show Hub Log');
    await workbench.messages.notification(/the log of the hub lies on root@127\.0\.0\.1/i);
  });

  it('is stopped by command, and started there again with the program of that machine', async () => {
    const { workbench, ground } = vscode;
    await workbench.runCommand('Claude Sync: Stop Hub');
    await workbench.waitForStatus('not running');
    await there.install(
      `CLAUDE_SYNC_CONFIG='${ground.configFile}' CLAUDE_SYNC_SOCKET='${join(ground.root, 'hub.sock')}' exec '${process.execPath}' '${join(import.meta.dirname, '../../src/cli/main.ts')}' "$@"`,
    );
    await workbench.runCommand('Claude Sync: Start Hub');
    await workbench.waitForStatus(/In sync/);
    const item = await workbench.waitForStatus(/In sync/);
    assert.match(await workbench.statusLabel(item), /The hub is on root@127\.0\.0\.1/);
    await workbench.screenshot('hub-elsewhere');
    assert.notEqual(await vscode.hubPid(), null);
  });

  it('is left for one of this computer when the setting is emptied', async () => {
    const { workbench } = vscode;
    await vscode.server.setMachineSettings({ 'claudeSync.hub.autoStart': 'never' });
    const item = await workbench.waitForStatus(/In sync/);
    await until('it is here', async () => /^Claude Sync: (rog|mac|xps)/.test(await workbench.statusLabel(item)));
    await workbench.runCommand('Claude Sync: Show Hub Log');
    await workbench.page.locator('.tab', { hasText: 'hub.log' }).first().waitFor();
  });
});
