import assert from 'node:assert/strict';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { View } from './view.ts';

const CONTAINER = 'Claude Sync';

describe('the views of the extension', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;
  let machines: View;
  let conflicts: View;

  before(needsWorkbench);
  before(async () => {
    vscode = await VsCodeGround.open({ hub: false });
    const { ground, workbench } = vscode;
    // Documents that differ when machines first meet are a question to the user.
    await ground.home('rog').write('CLAUDE.md', 'two spaces\n');
    await ground.home('mac').write('CLAUDE.md', 'four spaces\n');
    machines = await workbench.openView(CONTAINER, 'Machines');
  });
  after(() => vscode?.close());

  it('offer to start the hub where none runs, and fill when it does', async () => {
    assert.ok((await machines.welcomeButtons()).includes('Start Hub'));
    await vscode.workbench.screenshot('welcome');
    await machines.pressWelcomeButton('Start Hub');
    for (const name of ['rog', 'mac', 'xps']) await machines.waitForItem(new RegExp(`^${name}`));
  });

  it('show a conflict, its sides beside each other, and keep the one that is chosen', async () => {
    const { workbench, ground } = vscode;
    await workbench.waitForStatus(/1 conflict/);
    conflicts = await workbench.openView(CONTAINER, 'Conflicts');
    await (await conflicts.waitForItem(/CLAUDE\.md/)).click();
    await workbench.diffEditor.open();
    const sides = [await workbench.diffEditor.left(), await workbench.diffEditor.right()];
    assert.deepEqual(sides.map((side) => side.trim()).sort(), ['four spaces', 'two spaces']);
    await workbench.screenshot('conflict');
    await conflicts.expandItem(/CLAUDE\.md/);
    await conflicts.inlineAction(/^Side of mac/, 'Keep One Side of a Conflict');
    await workbench.waitForStatus(/In sync/);
    await ground.settle();
    assert.equal(await ground.home('rog').text('CLAUDE.md'), 'four spaces\n');
    assert.equal(await ground.home('xps').text('CLAUDE.md'), 'four spaces\n');
    await until('the view asks for nothing', async () =>
      (await conflicts.welcome.innerText()).includes('No conflicts'),
    );
  });

  it('decide a conflict anew', async () => {
    const { workbench, ground } = vscode;
    await workbench.runCommand('Claude Sync: Decide a Conflict Anew');
    await workbench.quickInput.pick(/CLAUDE\.md/);
    await workbench.quickInput.pick(/^rog/);
    await until(
      'rog is in force everywhere',
      async () => (await ground.home('mac').text('CLAUDE.md')) === 'two spaces\n',
    );
  });

  it('follow what is written on a machine', async () => {
    const { ground } = vscode;
    const { files } = await ground.report('xps');
    const rog = ground.home('rog');
    await rog.append('agents/reviewer.md', 'Reads what others wrote.');
    await machines.waitForItem(new RegExp(`^xps.*${files + 1} files`));
  });

  it('pause and resume a machine', async () => {
    await machines.inlineAction(/^mac/, 'Pause Machine');
    await machines.waitForItem(/^mac.*paused/);
    await machines.inlineAction(/^mac/, 'Resume Machine');
    await machines.waitForItem(/^mac.*online/);
  });

  it('show what a machine is about, row by row', async () => {
    await machines.expandItem(/^rog/);
    // The first ones: what does not fit into the view is not drawn.
    await machines.waitForItem(/^Status: online/);
    await machines.waitForItem(/^Last sync: /);
    await vscode.workbench.screenshot('machines');
  });
});
