import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround, type VsCodeGroundOptions } from './ground.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('a hub that nobody started by hand', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;

  before(needsWorkbench);
  afterEach(() => vscode?.close());

  async function open(wanted: 'ask' | 'always' | 'never', options: VsCodeGroundOptions = {}): Promise<void> {
    vscode = await VsCodeGround.open({
      hub: false,
      ...options,
      server: { ...options.server, machineSettings: { 'claudeSync.hub.autoStart': wanted } },
    });
  }

  it('is asked for once at first use, and the answer is remembered', async () => {
    await open('ask');
    const { workbench } = vscode;
    const asked = await workbench.messages.notification(/The hub that does it is not running/);
    assert.deepEqual(await workbench.messages.buttons(asked), ['Start', 'Always Start', 'Never']);
    await workbench.screenshot('first-use');
    await workbench.messages.press(asked, 'Always Start');
    await workbench.waitForStatus(/In sync/);
    // A window of tomorrow: the hub ended with the computer.
    await vscode.endHub();
    await vscode.newWindow();
    await vscode.workbench.waitForStatus(/In sync/);
    assert.notEqual(await vscode.hubPid(), null);
  });

  it('stays stopped when it was stopped from here', async () => {
    await open('always');
    await vscode.workbench.waitForStatus(/In sync/);
    await vscode.workbench.runCommand('Claude Sync: Stop Hub');
    await vscode.workbench.waitForStatus('not running');
    await vscode.newWindow();
    await vscode.workbench.waitForStatus('not running');
    assert.equal(await vscode.hubPid(), null);
    await vscode.workbench.runCommand('Claude Sync: Start Hub');
    await vscode.workbench.waitForStatus(/In sync/);
  });

  it('that ends unexpectedly is told of and started again', async () => {
    await open('always');
    await vscode.workbench.waitForStatus(/In sync/);
    const pid = await vscode.waitForHub();
    await vscode.endHub('SIGKILL');
    const told = await vscode.workbench.messages.notification(/had ended unexpectedly, and was started again/);
    assert.deepEqual(await vscode.workbench.messages.buttons(told), ['Show Log', "Don't Show Again"]);
    await vscode.workbench.waitForStatus(/In sync/);
    assert.notEqual(await vscode.waitForHub(pid), pid);
  });

  it('that ends unexpectedly is told of, and waits for the user who wants that', async () => {
    await open('never', { hub: true });
    await vscode.workbench.waitForStatus(/In sync/);
    await vscode.endHub('SIGKILL');
    const told = await vscode.workbench.messages.notification(/the hub ended unexpectedly/);
    await vscode.workbench.screenshot('hub-crashed');
    await vscode.workbench.messages.press(told, 'Restart Hub');
    await vscode.workbench.waitForStatus(/In sync/);
  });

  it('is left alone when a service runs it', async () => {
    await open('always', { hub: true, ground: { env: { CLAUDE_SYNC_SERVICE: 'claude-sync.service' } } });
    await vscode.workbench.waitForStatus(/In sync/);
    const pid = await vscode.waitForHub();
    await vscode.workbench.runCommand('Claude Sync: Stop Hub');
    await vscode.workbench.messages.notification(/run as a service \(claude-sync\.service\)/);
    assert.equal(await vscode.hubPid(), pid);
  });

  it('is replaced when it is older than the extension', async () => {
    const folder = await olderProgram();
    try {
      await open('ask', { ground: { program: join(folder, 'claude-sync.js') }, hub: true });
      await vscode.workbench.waitForStatus(/In sync/);
      const pid = await vscode.waitForHub();
      const told = await vscode.workbench.messages.notification(/version 0\.0\.9 of the hub is running/);
      await vscode.workbench.screenshot('older-hub');
      await vscode.workbench.messages.press(told, 'Restart Hub');
      assert.notEqual(await vscode.waitForHub(pid), pid);
      await vscode.workbench.waitForStatus(/In sync/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** The built program with an older number on it, in a folder that finds the same packages. */
async function olderProgram(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  await mkdir(join(ROOT, '.tmp'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.tmp', 'older-'));
  await cp(join(ROOT, 'dist'), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  let replaced = 0;
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.js')) continue;
    const text = await readFile(join(folder, name), 'utf8');
    const older = text.replaceAll(`version: "${version}"`, 'version: "0.0.9"');
    if (older !== text) replaced += 1;
    await writeFile(join(folder, name), older);
  }
  assert.ok(replaced > 0, 'the version stands in the program');
  return folder;
}
