import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../black-box/ground.ts';
import { DiffEditor, drawnText } from './diff-editor.ts';
import { Messages } from './messages.ts';
import type { BrowserContext, Finding, FrameLocator, Locator, Page } from './playwright.ts';
import { QuickInput } from './quick-input.ts';
import { View } from './view.ts';
import type { WorkbenchServer } from './workbench-server.ts';

/** How a window is opened. */
export interface WorkbenchOptions {
  /** Folder that is opened, the server's own by default; `null`: an empty window. */
  readonly folder?: string | null;
  readonly viewport?: { readonly width: number; readonly height: number };
  /** What the system says about colours. A theme is a setting of the server. */
  readonly colorScheme?: 'light' | 'dark';
  readonly forcedColors?: 'active' | 'none';
}

const VIEWPORT = { width: 1280, height: 800 };

/** How long an action waits for what it acts on, ms. */
const ACTION_MS = 45_000;

/** One window of VS Code in a browser: what a user sees and presses. Everything waits for what it needs, and fails after 45 s. */
export class Workbench {
  readonly page: Page;
  /** Lists to choose from, input boxes, and the palette. */
  readonly quickInput: QuickInput;
  /** Notifications and dialogs. */
  readonly messages: Messages;
  readonly diffEditor: DiffEditor;
  /** What the window wrote to its console, which includes the log of the extension host. */
  readonly said: string[] = [];
  readonly #context: BrowserContext;
  readonly #screenshots: string;

  private constructor(context: BrowserContext, page: Page, screenshots: string) {
    this.#screenshots = screenshots;
    this.#context = context;
    this.page = page;
    this.quickInput = new QuickInput(page);
    this.messages = new Messages(page);
    this.diffEditor = new DiffEditor(page);
    page.on('console', (message) => this.said.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => this.said.push(`error: ${error.message}`));
  }

  /** Opens a window and waits until it is drawn. Extensions are started after that. */
  static async open(server: WorkbenchServer, options: WorkbenchOptions = {}): Promise<Workbench> {
    const browser = await server.browser();
    const { colorScheme, forcedColors } = options;
    const context = await browser.newContext({
      viewport: options.viewport ?? VIEWPORT,
      permissions: ['clipboard-read', 'clipboard-write'],
      reducedMotion: 'reduce',
      locale: 'en-US',
      ...(colorScheme === undefined ? {} : { colorScheme }),
      ...(forcedColors === undefined ? {} : { forcedColors }),
    });
    const page = await context.newPage();
    page.setDefaultTimeout(ACTION_MS);
    const workbench = new Workbench(context, page, join(server.root, 'screenshots'));
    await page.goto(server.address(options.folder === undefined ? server.folder : options.folder));
    await workbench.ready();
    return workbench;
  }

  /** Waits until the window is drawn. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar .statusbar-item').first().waitFor();
  }

  /** Loads the window anew: extensions are started again. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  // --- what is there -------------------------------------------------------------------------------------------------------

  /** Items of the status bar with a text, or with a text in what they are called for screen readers. */
  statusItem(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item', { hasText: text }).first();
  }

  /** The item of the status bar that an extension named `id` (`publisher.extension.id`). */
  statusItemById(id: string): Locator {
    return this.page.locator(`.part.statusbar .statusbar-item[id="${id}"]`);
  }

  /** Waits until the status bar says something, @returns the item. */
  async waitForStatus(text: string | RegExp): Promise<Locator> {
    const item = this.statusItem(text);
    await item.waitFor({ state: 'visible' });
    return item;
  }

  /** What a status item says for screen readers. */
  async statusLabel(item: Locator): Promise<string> {
    return (await item.getAttribute('aria-label')) ?? '';
  }

  /** The tooltip of something, which appears under the pointer. */
  async tooltip(of: Locator): Promise<Locator> {
    const hover = this.page.locator('.workbench-hover-container .workbench-hover, .monaco-hover:visible').last();
    await until('the tooltip is there', async () => {
      await this.page.mouse.move(0, 0);
      await of.hover();
      try {
        await hover.waitFor({ state: 'visible', timeout: 2_000 });
        // It appears slowly, and a picture of it would be pale.
        await hover.evaluate((element) =>
          Promise.all(
            element.getAnimations({ subtree: true }).map((animation: { finished: unknown }) => animation.finished),
          ),
        );
        return true;
      } catch (error) {
        if (!String(error).includes('Timeout')) throw error;
        return false;
      }
    });
    return hover;
  }

  /** Runs a command by its title as the palette shows it: `Claude Sync: Start Hub`. */
  runCommand(title: string): Promise<void> {
    return this.quickInput.runCommand(title);
  }

  /** A view by its name, wherever it is. */
  view(name: string): View {
    return new View(this.page, name);
  }

  /** Icon of a container of views, at the side, with the number on it. */
  container(name: string): Locator {
    const label = this.page.locator(`.action-label[aria-label^="${name}"]`);
    return this.page.locator('.part.activitybar .action-item', { has: label }).first();
  }

  /** Shows a container of views, and in it a view. */
  async openView(container: string, view: string): Promise<View> {
    const shown = this.view(view);
    await until(`container ${container} is shown`, async () => {
      if (await shown.header.isVisible()) return true;
      await this.container(container).click();
      try {
        await shown.header.waitFor({ state: 'visible', timeout: 3_000 });
        return true;
      } catch (error) {
        // A second click on the container that is shown hides it; then the next one shows it.
        if (!String(error).includes('Timeout')) throw error;
        return false;
      }
    });
    await shown.expand();
    return shown;
  }

  /** Number on the icon of a container, '' where there is none. */
  async badge(container: string): Promise<string> {
    const badge = this.container(container).locator('.badge .badge-content');
    if ((await badge.count()) === 0 || !(await badge.first().isVisible())) return '';
    return (await badge.first().innerText()).trim();
  }

  // --- editors -------------------------------------------------------------------------------------------------------------

  /** Tab of an open editor. */
  tab(name: string | RegExp): Locator {
    return this.page.locator('.part.editor .tabs-container .tab', { hasText: name }).first();
  }

  /** Names of all open editors. */
  async tabs(): Promise<string[]> {
    const names = await this.page.locator('.part.editor .tabs-container .tab .label-name').allInnerTexts();
    return names.map((name) => name.trim());
  }

  /** What the active editor draws. */
  async editorText(): Promise<string> {
    const editor = this.page.locator('.part.editor .editor-group-container.active .monaco-editor').last();
    await editor.locator('.view-lines').waitFor({ state: 'visible' });
    return drawnText(editor);
  }

  /** Waits until the active editor draws a text. */
  async waitForEditorText(text: string): Promise<void> {
    await until(`the editor shows ${text}`, async () => (await this.editorText()).includes(text));
  }

  /** Presses a button at the top right of the active editor. */
  async editorAction(label: string): Promise<void> {
    await this.page
      .locator(`.part.editor .editor-group-container.active .editor-actions .action-label[aria-label^="${label}"]`)
      .click();
  }

  /** Page inside the active webview. */
  get webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').last().frameLocator('#active-frame');
  }

  /** What is on the clipboard. */
  async clipboard(): Promise<string> {
    return this.page.evaluate<string>('navigator.clipboard.readText()');
  }

  /** Anything else. */
  find(selector: string): Locator {
    const page: Finding = this.page;
    return page.locator(selector);
  }

  // --- pictures ------------------------------------------------------------------------------------------------------------

  /** Takes a picture. @returns its path, in the folder that `CLAUDE_SYNC_SCREENSHOTS` names, else in the server's, which goes with it. */
  async screenshot(name: string): Promise<string> {
    const folder = process.env['CLAUDE_SYNC_SCREENSHOTS'] || this.#screenshots;
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}.png`);
    await this.page.screenshot({ path });
    return path;
  }
}
