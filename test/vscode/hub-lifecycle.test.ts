import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { waitForExit } from '../../src/client/processes.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';

describe('the hub, from VS Code', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;

  before(needsWorkbench);
  before(async () => {
    vscode = await VsCodeGround.open({ hub: false });
  });
  after(() => vscode?.close());

  it('is said not to run where none does', async () => {
    await vscode.workbench.waitForStatus('not running');
    await vscode.workbench.screenshot('hub-not-running');
  });

  it('starts by command, and the status bar says how things are', async () => {
    await vscode.workbench.runCommand('Claude Sync: Start Hub');
    await vscode.workbench.waitForStatus(/In sync/);
    assert.notEqual(await vscode.hubPid(), null);
    const { machines, inSync } = await vscode.ground.status();
    assert.deepEqual([inSync, machines.map(({ name }) => name).sort()], [true, ['mac', 'rog', 'xps']]);
    await vscode.workbench.screenshot('hub-in-sync');
  });

  it('is shown as gone after a crash, and starts again by command', async () => {
    const pid = await vscode.waitForHub();
    await vscode.endHub('SIGKILL');
    await vscode.workbench.waitForStatus('not running');
    await vscode.workbench.runCommand('Claude Sync: Restart Hub');
    await vscode.workbench.waitForStatus(/In sync/);
    assert.notEqual(await vscode.waitForHub(), pid);
  });

  it('goes on without the window that started it, and a new window finds it', async () => {
    const pid = await vscode.waitForHub();
    const workbench = await vscode.newWindow();
    await workbench.waitForStatus(/In sync/);
    assert.equal(await vscode.hubPid(), pid);
  });

  it('says why it cannot start, and starts when that is put right', async () => {
    const { workbench, ground } = vscode;
    await vscode.endHub();
    await workbench.waitForStatus('not running');
    await writeFile(ground.configFile, '{ "machines": 7 }');
    await workbench.runCommand('Claude Sync: Start Hub');
    const told = await workbench.messages.notification(/machines/);
    await workbench.screenshot('hub-cannot-start');
    assert.match(await told.innerText(), /did not start/);
    await workbench.messages.clear();
    await ground.configure();
    await workbench.runCommand('Claude Sync: Start Hub');
    await workbench.waitForStatus(/In sync/);
  });

  it('stops by command', async () => {
    const pid = await vscode.waitForHub();
    await vscode.workbench.runCommand('Claude Sync: Stop Hub');
    await vscode.workbench.waitForStatus('not running');
    assert.ok(await waitForExit(pid, 30_000));
  });
});
