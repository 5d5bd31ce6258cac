import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { record } from '../black-box/records.ts';
import { GhGround } from '../fixtures/github/gh-ground.ts';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { needsWorkbench } from './availability.ts';
import { VsCodeGround } from './ground.ts';
import type { Locator } from './playwright.ts';
import type { View } from './view.ts';

/** Each theme, and the class that the workbench has then. */
const THEMES = [
  { name: 'light', theme: 'Default Light Modern', mark: 'vs' },
  { name: 'dark', theme: 'Default Dark Modern', mark: 'vs-dark' },
  { name: 'high-contrast', theme: 'Default High Contrast', mark: 'hc-black' },
] as const;

const VIEWPORT = { width: 1280, height: 860 };

const VIEWS = ['Machines', 'Conflicts', 'Pull Requests', 'Alerts'];

describe('everything that the extension shows', function () {
  this.timeout(240_000);
  let gh: GhGround;
  let vscode: VsCodeGround;
  let session: string;
  const views = new Map<string, View>();

  before(needsWorkbench);
  before(skipWhere(() => GhGround.whyUnavailable()));
  before(async () => {
    gh = await GhGround.open();
    const app = gh.github.addRepository({ owner: 'acme', name: 'app', affiliation: 'ORGANIZATION_MEMBER' });
    gh.github.addPull(app, { title: 'Keep the lines of both sides', author: 'jo', requested: ['thh3'] });
    const linked = gh.github.addPull(app, { title: 'Teach it to merge', author: 'thh3', reviewDecision: 'APPROVED' });
    gh.github.addPull(app, { title: 'A draft of the next one', author: 'thh3', isDraft: true });
    const { GH_CONFIG_DIR } = gh.env;
    vscode = await VsCodeGround.open({
      hub: false,
      ground: { machines: ['rog', 'mac', 'xps', 'nelly'], env: { GH_CONFIG_DIR } },
      window: { viewport: VIEWPORT },
    });
    const { ground, workbench } = vscode;
    const [rog, mac] = [ground.home('rog'), ground.home('mac')];
    session = randomUUID();
    await rog.append(
      rog.sessionPath(session),
      record({ session, home: rog, name: 'one' }),
      JSON.stringify({
        type: 'pr-link',
        sessionId: session,
        prUrl: `https://github.com/acme/app/pull/${linked.number}`,
      }),
    );
    for (const agent of ['reviewer', 'tester', 'writer']) await rog.write(`agents/${agent}.md`, `The ${agent}.\n`);
    const notes = (style: string): string =>
      `# Notes\n\nRead these first.\n\nIndent with ${style}.\n\nTests come first.\n`;
    await rog.write('CLAUDE.md', notes('two spaces'));
    await mac.write('CLAUDE.md', notes('four spaces'));
    await ground.startHub();
    await ground.settle();
    // Its disk is gone: a safeguard stops it.
    await rm(join(ground.home('nelly').claudeDir), { recursive: true });
    await until('nelly is stopped', async () => (await ground.report('nelly')).status === 'quarantined');
    await openViews();
    await workbench.runCommand('Claude Sync: Refresh Pull Requests');
    await view('Pull Requests').waitForItem(/^Needs your review/);
  });
  after(async () => {
    await vscode?.close();
    await gh?.close();
  });

  async function openViews(): Promise<void> {
    for (const name of VIEWS) views.set(name, await vscode.workbench.openView('Claude Sync', name));
  }

  function view(name: string): View {
    const found = views.get(name);
    assert.ok(found, name);
    return found;
  }

  it('tells of a machine that a safeguard stopped, with the way to go on', async () => {
    const told = await vscode.workbench.messages.notification(/a safeguard stopped nelly/);
    assert.deepEqual(await vscode.workbench.messages.buttons(told), ['Resume…', "Don't Show Again"]);
    await vscode.workbench.messages.clear();
  });

  it('links a pull request to the conversation that it came from', async () => {
    const pulls = view('Pull Requests');
    await pulls.expandItem(/^Teach it to merge/);
    const row = await pulls.waitForItem(/^Conversation, named there/);
    await row.scrollIntoViewIfNeeded();
    await pulls.contextMenu(/^Conversation, named there/, /Copy the Command That Resumes/);
    await until('it is copied', async () => (await vscode.workbench.clipboard()) === `claude --resume ${session}`);
    await pulls.contextMenu(/^Conversation, named there/, /Resume the Conversation in a Terminal/);
    const rows = vscode.workbench.page.locator('.terminal-wrapper.active .xterm-rows');
    await until('it is run', async () =>
      (await rows.innerText()).replaceAll('\u00a0', ' ').includes(`claude --resume ${session}`),
    );
    await vscode.workbench.runCommand('Terminal: Kill All Terminals');
    await view('Pull Requests').titleAction('Collapse All');
  });

  it('is reached, opened and left by keyboard', async () => {
    const { workbench } = vscode;
    const { keyboard } = workbench.page;
    // Keys that come before the focus is there are heard by what had it.
    const leadsTo = async (what: Locator, keys: () => Promise<void>): Promise<void> =>
      until('the keys are heard', async () => {
        await keys();
        try {
          await what.waitFor({ state: 'visible', timeout: 5_000 });
          return true;
        } catch (error) {
          if (!String(error).includes('Timeout')) throw error;
          return false;
        }
      });
    await leadsTo(view('Machines').item(/^Status: online/), async () => {
      await workbench.runCommand('Claude Sync: Focus on Machines View');
      await keyboard.press('Home');
      await keyboard.press('ArrowRight');
    });
    await keyboard.press('ArrowLeft');
    await leadsTo(workbench.diffEditor.side('right'), async () => {
      await workbench.runCommand('Claude Sync: Focus on Conflicts View');
      await keyboard.press('Home');
      await keyboard.press('Enter');
    });
    await workbench.runCommand('Claude Sync: Show Status');
    await workbench.quickInput.open();
    await workbench.quickInput.cancel();
  });

  for (const { name, theme, mark } of THEMES) {
    it(`is drawn in ${name}`, async () => {
      const { server } = vscode;
      await server.setSettings({ 'workbench.colorTheme': theme });
      const workbench = await vscode.newWindow({ viewport: VIEWPORT });
      await workbench.messages.notification(/a safeguard stopped nelly/);
      await workbench.messages.clear();
      await openViews();
      await workbench.page.locator(`.monaco-workbench.${mark}`).first().waitFor();
      await view('Machines').waitForItem(/^nelly.*stopped/);
      await (await view('Conflicts').waitForItem(/^Conflict about CLAUDE\.md/)).click();
      await workbench.diffEditor.open();
      await view('Pull Requests').waitForItem(/^Needs your review/);
      await workbench.screenshot(`overview-${name}`);
      await view('Machines').expandItem(/^rog/);
      await view('Machines').waitForItem(/^Last sync: /);
      await workbench.screenshot(`machine-${name}`);
      const item = await workbench.waitForStatus(/1 conflict/);
      const tooltip = await workbench.tooltip(item);
      assert.match((await tooltip.innerText()).replaceAll('\u00a0', ' '), /rog: online/);
      await workbench.screenshot(`status-${name}`);
      await item.click();
      await workbench.quickInput.open();
      await workbench.screenshot(`actions-${name}`);
      await workbench.quickInput.cancel();
      await workbench.runCommand('Claude Sync: Resume Machine');
      await workbench.quickInput.pick(/^nelly/);
      await until('the ways to go on are shown', async () =>
        /nelly was stopped/.test(await workbench.quickInput.title()),
      );
      await workbench.screenshot(`resume-${name}`);
      await workbench.quickInput.cancel();
      await workbench.runCommand('Claude Sync: Merge a Conflict by Hand');
      await workbench.waitForEditorText('<<<<<<<');
      await workbench.messages.clear();
      await workbench.screenshot(`merge-${name}`);
      await workbench.runCommand('View: Close Editor');
      await workbench.runCommand('Claude Sync: Forget a Conversation…');
      await workbench.quickInput.enter(session);
      assert.match(await workbench.messages.dialogText(), /This cannot be undone/);
      await workbench.screenshot(`question-${name}`);
      await workbench.messages.answer('Cancel');
      await workbench.runCommand('Claude Sync: Open the Walkthrough');
      await workbench.page.getByText('Get Started with Claude Sync').first().waitFor({ state: 'visible' });
      await workbench.screenshot(`walkthrough-${name}`);
      await workbench.runCommand('View: Close Editor');
    });
  }
});
