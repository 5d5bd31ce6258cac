import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';

describe('the configuration in the editor', function () {
  this.timeout(180_000);
  let vscode: VsCodeGround;
  let folder: string;
  /** Where it lies usually; the editor knows its schema by that name. */
  let usual: string;

  before(needsWorkbench);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-config-'));
    usual = join(folder, 'claude-sync', 'config.jsonc');
    await mkdir(join(folder, 'claude-sync'));
  });
  afterEach(async () => {
    await vscode?.close();
    await rm(folder, { recursive: true });
  });

  async function open(text: string, file: string | null): Promise<void> {
    const server = file === null ? {} : { env: { CLAUDE_SYNC_CONFIG: file } };
    vscode = await VsCodeGround.open({ hub: false, server });
    await writeFile(file ?? vscode.ground.configFile, text);
    await vscode.workbench.runCommand('Claude Sync: Open Configuration');
    await vscode.workbench.tab('config.jsonc').waitFor();
  }

  /** What the status bar counts. */
  const problems = async (): Promise<string> =>
    (await vscode.workbench.page.locator('.part.statusbar [id="status.problems"]').getAttribute('aria-label')) ?? '';

  const machine = (claudeDir: string): object => ({ transport: 'local', claudeDir });

  it('is marked where the hub would refuse it, wherever the file lies, and no more when it is right', async () => {
    await open(JSON.stringify({ machines: { rog: machine('/a'), mac: machine('/a') } }, null, 2), null);
    const { workbench, ground } = vscode;
    await until('one error is counted', async () => (await problems()).includes('Errors: 1'));
    await workbench.runCommand('View: Toggle Problems');
    const panel = workbench.page.locator('.markers-panel-container');
    await panel
      .getByText(/uses the same folder as/)
      .first()
      .waitFor();
    await workbench.screenshot('configuration');
    await ground.configure();
    await until('none is left', async () => (await problems()).includes('No Problems'));
  });

  it('is completed and checked from its schema, and marked for what the schema cannot know', async () => {
    await open('{\n  "machines": { "rog": { "transport": "carrier pigeon" } },\n  \n}\n', usual);
    const { workbench } = vscode;
    // The editor warns of what a schema does not allow.
    await until('it is warned of', async () => (await problems()).includes('Warnings: 1'));
    await workbench.runCommand('Go to Line/Column...');
    await workbench.quickInput.enter(':3:3');
    const suggestions = workbench.page.locator('.suggest-widget .monaco-list-row');
    const pulls = suggestions.filter({ hasText: 'pulls' }).first();
    await until('pulls is suggested', async () => {
      // Asked too early, the editor says that there are no suggestions.
      await workbench.page.keyboard.press('Escape');
      await workbench.page.keyboard.press('Control+Space');
      try {
        await pulls.waitFor({ timeout: 5_000 });
        return true;
      } catch (error) {
        if (!String(error).includes('Timeout')) throw error;
        return false;
      }
    });
    await workbench.screenshot('completion');
    assert.ok((await suggestions.allInnerTexts()).some((text) => text.includes('sync')));
    await workbench.page.keyboard.press('Escape');
    await writeFile(usual, JSON.stringify({ machines: { rog: machine('/a'), mac: machine('/a') } }, null, 2));
    await until('that one is counted alone', async () => (await problems()).includes('Errors: 1'));
    await workbench.runCommand('View: Toggle Problems');
    await workbench.page
      .locator('.markers-panel-container')
      .getByText(/uses the same folder as/)
      .first()
      .waitFor();
  });
});
