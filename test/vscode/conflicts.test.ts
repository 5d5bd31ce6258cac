import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { drawnText } from './diff-editor.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { View } from './view.ts';

const FILES = ['rules/left.md', 'rules/right.md', 'rules/merge.md'];

describe('conflicts in the editor', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;
  let conflicts: View;

  before(needsWorkbench);
  before(async () => {
    vscode = await VsCodeGround.open({ hub: false, ground: { entries: { xps: { trust: 'data' } } } });
    const { ground } = vscode;
    // Documents that differ when machines first meet are a question to the user.
    for (const path of FILES) {
      await ground.home('rog').write(path, 'first\nfrom rog\nlast\n');
      await ground.home('mac').write(path, 'first\nfrom mac\nlast\n');
    }
    await ground.startHub();
    await vscode.workbench.waitForStatus(/3 conflicts/);
    conflicts = await vscode.workbench.openView('Claude Sync', 'Conflicts');
  });
  after(() => vscode?.close());

  const texts = async (path: string): Promise<(string | null)[]> =>
    Promise.all(['rog', 'mac'].map((name) => vscode.ground.home(name).text(path)));

  async function press(action: string): Promise<void> {
    await vscode.workbench.page.locator(`.editor-actions .action-label[aria-label^="${action}"]`).first().click();
  }

  /** Until the question is there: a row that is drawn anew under the pointer does not hear it. */
  async function acceptContent(row: RegExp): Promise<void> {
    const { dialog } = vscode.workbench.messages;
    await until('it is asked', async () => {
      await conflicts.inlineAction(row, 'Accept Content');
      try {
        await dialog.waitFor({ state: 'visible', timeout: 5_000 });
        return true;
      } catch (error) {
        if (!String(error).includes('Timeout')) throw error;
        return false;
      }
    });
  }

  it('are told of once, with a way to look at them', async () => {
    const { messages } = vscode.workbench;
    const told = await messages.notification(/conflicts? wait for your decision|cannot be merged/);
    assert.ok((await messages.buttons(told)).includes("Don't Show Again"));
    await messages.clear();
  });

  for (const [which, action, from] of [
    ['left', 'Keep the Left Side', 0],
    ['right', 'Keep the Right Side', 1],
  ] as const) {
    it(`are decided for the ${which} side above the diff, which closes`, async () => {
      const { workbench, ground } = vscode;
      const path = `rules/${which}.md`;
      await (await conflicts.waitForItem(new RegExp(`${which}\\.md`))).click();
      await workbench.diffEditor.open();
      const sides = [await workbench.diffEditor.left(), await workbench.diffEditor.right()];
      await workbench.screenshot(`conflict-${which}`);
      await press(action);
      await workbench.diffEditor.side('right').waitFor({ state: 'hidden' });
      await ground.settle();
      const kept = `${(sides[from] ?? '').trim()}\n`;
      assert.deepEqual(await texts(path), [kept, kept]);
    });
  }

  it('are merged by hand: a marker that is left is refused, and what was made is in force everywhere', async () => {
    const { workbench, ground } = vscode;
    await conflicts.contextMenu(/merge\.md/, /Merge a Conflict by Hand/);
    const editor = workbench.page.locator('.editor-instance .monaco-editor').first();
    await editor.locator('.view-lines').waitFor({ state: 'visible' });
    await until('the sides are marked', async () => /<<<<<<< (rog|mac)/.test(await drawnText(editor)));
    await workbench.screenshot('merge');
    await press('Put the Merged Text into Force');
    await workbench.messages.notification(/there is a marker in line 2/);
    await workbench.messages.clear();
    const [file] = await mergeFiles();
    assert.ok(file !== undefined);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await editor.locator('.view-lines').click();
    await workbench.page.keyboard.press('Control+A');
    await workbench.page.evaluate(`navigator.clipboard.writeText('first\\nfrom both\\nlast\\n')`);
    await workbench.page.keyboard.press('Control+V');
    await until('it is typed', async () => (await drawnText(editor)).includes('from both'));
    await press('Put the Merged Text into Force');
    await workbench.messages.notification(/what you merged is in force/);
    await ground.settle();
    const merged = 'first\nfrom both\nlast\n';
    assert.deepEqual(await texts('rules/merge.md'), [merged, merged]);
    await until('its file is gone', async () => (await mergeFiles()).length === 0);
    await workbench.messages.clear();
  });

  it('wait for approval where a machine is trusted with data only, and are accepted when they were seen', async () => {
    const { workbench, ground } = vscode;
    await ground.home('xps').write('agents/helper.md', 'helps\n');
    await ground.home('xps').write('agents/stranger.md', 'does something else\n');
    await (await conflicts.waitForItem(/^Waits for approval: helper\.md/)).click();
    await workbench.diffEditor.open();
    assert.deepEqual([await workbench.diffEditor.left(), (await workbench.diffEditor.right()).trim()], ['', 'helps']);
    await acceptContent(/^Waits for approval: helper\.md/);
    assert.match(await workbench.messages.dialogText(), /agents\/helper\.md from xps be put into force/);
    await workbench.screenshot('approval');
    await workbench.messages.answer('Accept');
    await conflicts.item(/^Waits for approval: helper\.md/).waitFor({ state: 'hidden' });
    await conflicts.inlineAction(/^Waits for approval: stranger\.md/, 'Reject Content');
    await until('what was accepted is there', async () =>
      (await texts('agents/helper.md')).every((text) => text === 'helps\n'),
    );
    await until('nothing waits', async () => ((await ground.status()).approvals?.waiting ?? 0) === 0);
    assert.deepEqual(await texts('agents/stranger.md'), [null, null]);
  });

  it('are not approved as something else than was looked at', async () => {
    const { workbench, ground } = vscode;
    const xps = ground.home('xps');
    await xps.write('agents/changing.md', 'harmless\n');
    await (await conflicts.waitForItem(/^Waits for approval: changing\.md/)).click();
    await until('it is shown', async () => (await workbench.diffEditor.right()).trim() === 'harmless');
    await xps.write('agents/changing.md', 'harmful, and longer\n');
    await conflicts.waitForItem(/^Waits for approval: changing\.md.*20 B/);
    await acceptContent(/^Waits for approval: changing\.md/);
    assert.match(await workbench.messages.dialogText(), /You have not looked at it yet/);
    await workbench.messages.answer('Show Changes');
    await until(
      'it is shown as it is now',
      async () => (await workbench.diffEditor.right()).trim() === 'harmful, and longer',
    );
    assert.deepEqual(await texts('agents/changing.md'), [null, null]);
  });

  async function mergeFiles(): Promise<string[]> {
    const found = await readdir(vscode.server.root, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && /\/merges\/[^/]+$/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name));
  }
});
