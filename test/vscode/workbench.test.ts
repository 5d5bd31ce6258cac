import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { needsWorkbench } from './availability.ts';
import { WorkbenchServer } from './workbench-server.ts';
import { Workbench } from './workbench.ts';

/** What the other tests here see and press VS Code with, tried on an extension that has one of each. */
describe('the workbench that tests see and press', function () {
  this.timeout(120_000);
  let server: WorkbenchServer;
  let workbench: Workbench;

  before(needsWorkbench);
  before(async () => {
    server = await WorkbenchServer.start({
      extensionDevelopmentPath: join(import.meta.dirname, 'sample'),
      settings: { 'workbench.colorTheme': 'Default Dark Modern' },
    });
    workbench = await Workbench.open(server);
    await workbench.waitForStatus('said: hello');
  });
  after(async () => {
    await workbench?.close();
    await server?.close();
  });

  it('follows a theme', async () => {
    await workbench.find('.monaco-workbench.vs-dark').waitFor();
  });

  it('shows tooltips', async () => {
    const tooltip = await workbench.tooltip(workbench.statusItem('said: hello'));
    assert.match(await tooltip.innerText(), /tooltip of hello/);
  });

  it('offers what the palette offers, and nothing that is hidden there', async () => {
    assert.equal(await workbench.quickInput.offers('Sample: Pick'), true);
    assert.equal(await workbench.quickInput.offers('Sample: Hidden'), false);
  });

  it('picks from a list', async () => {
    await workbench.runCommand('Sample: Pick');
    assert.equal(await workbench.quickInput.title(), 'Numbers');
    assert.equal(await workbench.quickInput.placeholder(), 'Which?');
    assert.deepEqual(await workbench.quickInput.visibleRows(), ['one\nuno', 'two\nbelow it']);
    await workbench.quickInput.pick('two');
    await workbench.waitForStatus('picked two');
  });

  it('fills input boxes', async () => {
    await workbench.runCommand('Sample: Ask');
    await workbench.quickInput.type('bad');
    await workbench.quickInput.messageWith('Not that.');
    await workbench.quickInput.enter('good');
    await workbench.waitForStatus('asked good');
  });

  it('reads notifications and presses their buttons', async () => {
    await workbench.runCommand('Sample: Tell');
    const notification = await workbench.messages.notification('Look at this');
    assert.deepEqual(await workbench.messages.buttons(notification), ['Fine', 'No']);
    assert.deepEqual(await workbench.messages.texts(), ['Look at this']);
    await workbench.screenshot('sample-notification');
    await workbench.messages.press(notification, 'Fine');
    await workbench.waitForStatus('told Fine');
  });

  it('answers dialogs', async () => {
    await workbench.runCommand('Sample: Confirm');
    assert.equal(await workbench.messages.dialogText(), 'Really?\nIt cannot be undone.');
    assert.deepEqual((await workbench.messages.dialogButtons()).sort(), ['Cancel', 'Do it']);
    await workbench.messages.answer('Do it');
    await workbench.waitForStatus('confirmed Do it');
  });

  it('reads trees and presses what is in them', async () => {
    await until('the badge is there', async () => (await workbench.badge('Sample Box')) === '7');
    const view = await workbench.openView('Sample Box', 'Fruits');
    await view.waitForItem('Pear');
    assert.deepEqual(await view.texts(), ['Apple red', 'Pear green']);
    await view.expandItem('Apple');
    await view.waitForItem('Seed');
    assert.deepEqual(await view.inlineActions('Pear'), ['Eat']);
    await view.inlineAction('Pear', 'Eat');
    await workbench.waitForStatus('ate Pear');
    assert.deepEqual(await view.contextMenuLabels('Apple'), ['Tell']);
    await view.contextMenu('Apple', 'Tell');
    await workbench.messages.press(await workbench.messages.notification('Look at this'), 'No');
    await workbench.waitForStatus('told No');
    assert.ok((await view.titleActions()).includes('Done'));
    await view.titleAction('Done');
    await workbench.waitForStatus('said: done');
    await workbench.screenshot('sample-views');
  });

  it('reads and presses what an empty view says', async () => {
    const view = await workbench.openView('Sample Box', 'Nothing');
    assert.deepEqual(await view.welcomeButtons(), ['Pick Something']);
    assert.match(await view.welcome.innerText(), /There is nothing\./);
    await view.pressWelcomeButton('Pick Something');
    await workbench.quickInput.pick('one');
    await workbench.waitForStatus('picked one');
  });

  it('reads two texts side by side, and writes into the right one', async () => {
    await workbench.runCommand('Sample: Compare');
    await until('both sides are drawn', async () => {
      const { diffEditor } = workbench;
      return (
        (await diffEditor.left()).startsWith('first line\n  of /left') && (await diffEditor.right()).includes('on disk')
      );
    });
    await workbench.diffEditor.replaceRight('written\n  here\n');
    await until('it is drawn', async () => (await workbench.diffEditor.right()).startsWith('written\n  here'));
    await workbench.screenshot('sample-diff');
    await workbench.page.keyboard.press('Control+S');
    const file = join(server.folder, 'right.txt');
    await until('it is saved', async () => (await readFile(file, 'utf8')) !== 'on disk\n');
    assert.equal(await readFile(file, 'utf8'), 'written\n  here\n');
    assert.deepEqual(await workbench.tabs(), ['Left and right']);
    await workbench.editorAction('Done');
    await workbench.waitForStatus('said: done');
  });

  it('looks into webviews', async () => {
    await workbench.runCommand('Sample: Open Page');
    await workbench.webview.getByRole('heading', { name: 'Title in a page' }).waitFor();
    await workbench.webview.getByRole('button', { name: 'Zero' }).click();
    await workbench.webview.getByRole('button', { name: '1' }).waitFor();
    await workbench.screenshot('sample-webview');
  });
});
