import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../black-box/ground.ts';
import { record } from '../black-box/records.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';

describe('commands of the palette', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;

  before(needsWorkbench);
  before(async () => {
    vscode = await VsCodeGround.open();
    await vscode.workbench.waitForStatus(/In sync/);
  });
  after(() => vscode?.close());

  it('bring back what was overwritten, on all machines', async () => {
    const { workbench, ground } = vscode;
    await ground.home('rog').write('agents/a.md', 'the good one\n');
    await ground.settle();
    await ground.home('mac').write('agents/a.md', 'the bad one\n');
    await ground.settle();
    await workbench.runCommand('Claude Sync: Restore a File or Conversation…');
    await workbench.quickInput.enter('agents/a.md');
    await until('versions are offered', async () => /which version/.test(await workbench.quickInput.title()));
    await workbench.screenshot('restore');
    await workbench.quickInput.pick(/was overwritten/);
    await workbench.messages.notification(/agents\/a\.md \(13 B\) is restored to/);
    await until('it is everywhere', async () => (await ground.home('xps').text('agents/a.md')) === 'the good one\n');
  });

  it('say what is wrong with a name that nobody knows', async () => {
    const { workbench } = vscode;
    await workbench.runCommand('Claude Sync: Restore a File or Conversation…');
    await workbench.quickInput.enter('agents/nothing.md');
    await workbench.messages.notification(/knows nothing of agents\/nothing\.md/);
    await workbench.messages.clear();
  });

  it('forget a conversation for good, after showing what goes', async () => {
    const { workbench, ground } = vscode;
    const session = randomUUID();
    const rog = ground.home('rog');
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'secret' }));
    await ground.settle();
    await workbench.runCommand('Claude Sync: Forget a Conversation…');
    await workbench.quickInput.enter(session);
    const question = await workbench.messages.dialogText();
    await workbench.screenshot('forget');
    assert.match(question, /This cannot be undone/);
    assert.match(question, /on (mac|rog|xps), (mac|rog|xps), (mac|rog|xps)/);
    await workbench.messages.answer('Forget for Good');
    await workbench.messages.notification(/is forgotten/);
    const mac = ground.home('mac');
    await until('it is gone everywhere', async () => (await mac.read(mac.sessionPath(session))) === null);
  });

  it('open a terminal in which claude-sync is a command', async () => {
    const { workbench } = vscode;
    await workbench.runCommand('Claude Sync: Open a Terminal with claude-sync');
    const rows = workbench.page.locator('.terminal-wrapper.active .xterm-rows');
    await until('it shows the machines', async () =>
      /mac\s+online/.test((await rows.innerText()).replaceAll('\u00a0', ' ')),
    );
    await workbench.screenshot('terminal');
  });

  it('run the demo in a terminal, with folders of its own', async () => {
    const { workbench, ground } = vscode;
    const before = (await ground.status()).machines.length;
    await workbench.runCommand('Claude Sync: Run the Demo in a Terminal');
    const rows = workbench.page.locator('.terminal-wrapper.active .xterm-rows');
    await until('it tells what it does', async () =>
      /A line travels/.test((await rows.innerText()).replaceAll('\u00a0', ' ')),
    );
    await workbench.screenshot('demo');
    assert.equal((await ground.status()).machines.length, before);
  });

  it('show the first steps', async () => {
    const { workbench } = vscode;
    await workbench.runCommand('Claude Sync: Open the Walkthrough');
    await workbench.page.getByText('Get Started with Claude Sync').first().waitFor({ state: 'visible' });
    await workbench.page.getByText('Start the hub', { exact: true }).first().waitFor({ state: 'visible' });
    await workbench.screenshot('walkthrough');
  });

  it('list each machine and what can be done, behind the status item', async () => {
    const { workbench } = vscode;
    await (await workbench.waitForStatus(/In sync/)).click();
    const rows = (await workbench.quickInput.visibleRows()).join('\n');
    await workbench.screenshot('status-list');
    for (const name of ['rog', 'mac', 'xps']) assert.match(rows, new RegExp(`${name}: online`));
    assert.match(rows, /Sync now/);
    await workbench.quickInput.cancel();
  });
});
