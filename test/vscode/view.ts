import { until } from '../black-box/ground.ts';
import type { Locator, Page } from './playwright.ts';

/** A tree view in a side bar, by the name in its header. */
export class View {
  readonly name: string;
  readonly #page: Page;

  constructor(page: Page, name: string) {
    this.#page = page;
    this.name = name;
  }

  /** Header and body. */
  get pane(): Locator {
    return this.#page.locator('.split-view-view .pane', {
      has: this.#page.locator(`.pane-header[aria-label^="${this.name}"]`),
    });
  }

  get header(): Locator {
    return this.pane.locator('.pane-header');
  }

  /** Waits until it is there, and opens it where it is closed to its header. */
  async expand(): Promise<void> {
    await this.header.waitFor({ state: 'visible' });
    await until(`view ${this.name} is open`, async () => {
      if ((await this.header.getAttribute('aria-expanded')) === 'true') return true;
      // A view that is alone in its container cannot be closed.
      if ((await this.header.getAttribute('aria-expanded')) === null) return true;
      await this.header.click();
      return false;
    });
  }

  /** All items that are drawn. */
  get items(): Locator {
    return this.pane.getByRole('treeitem');
  }

  /** An item by its accessible name, which begins with its label. */
  item(name: string | RegExp): Locator {
    return this.pane.getByRole('treeitem', { name }).first();
  }

  /** What the drawn items say: label and description of each, with a space between. */
  async texts(): Promise<string[]> {
    return this.items.evaluateAll((items) =>
      items.map((item) => {
        const parts = item.querySelectorAll('.label-name, .label-description');
        const texts = Array.from(parts as Iterable<{ textContent: string }>, ({ textContent }) => textContent.trim());
        return texts.filter((text) => text !== '').join(' ');
      }),
    );
  }

  /** Waits until an item is there, @returns it. */
  async waitForItem(name: string | RegExp): Promise<Locator> {
    const item = this.item(name);
    await item.waitFor({ state: 'visible' });
    return item;
  }

  /** Opens an item that has others below it. */
  async expandItem(name: string | RegExp): Promise<void> {
    const item = await this.waitForItem(name);
    await until(`item ${String(name)} is open`, async () => {
      if ((await item.getAttribute('aria-expanded')) === 'true') return true;
      await item.locator('.monaco-tl-twistie').click();
      return false;
    });
  }

  /** Presses one of the buttons that an item shows under the pointer. */
  async inlineAction(name: string | RegExp, label: string): Promise<void> {
    const item = await this.waitForItem(name);
    await item.hover();
    await item.locator(`.actions .action-label[aria-label^="${label}"]`).click();
  }

  /** Labels of the buttons that an item shows under the pointer. */
  async inlineActions(name: string | RegExp): Promise<string[]> {
    const item = await this.waitForItem(name);
    await item.hover();
    return labels(item.locator('.actions .action-label'));
  }

  /** Chooses from an item's context menu. */
  async contextMenu(name: string | RegExp, label: string | RegExp): Promise<void> {
    await this.#openMenu(name);
    const entry = this.#entries.filter({ hasText: label }).first();
    await entry.waitFor({ state: 'visible' });
    await until(`${String(label)} is chosen`, async () => {
      // A menu that has just opened takes no click yet: letting go of the button that opened it must not choose.
      await entry.click({ force: true });
      return hides(this.#menu);
    });
  }

  /** What an item's context menu offers. */
  async contextMenuLabels(name: string | RegExp): Promise<string[]> {
    await this.#openMenu(name);
    const found = (await this.#entries.allInnerTexts()).map((text) => text.trim()).filter((text) => text !== '');
    await until('the menu is closed', async () => {
      if (!(await this.#menu.isVisible())) return true;
      // Heard only when the menu has got the focus.
      await this.#page.keyboard.press('Escape');
      return false;
    });
    return found;
  }

  /** Presses a button of the view's header. */
  async titleAction(label: string): Promise<void> {
    await this.header.hover();
    await this.header.locator(`.actions .action-label[aria-label^="${label}"]`).click();
  }

  /** Labels of the buttons of the view's header. */
  async titleActions(): Promise<string[]> {
    await this.header.hover();
    return labels(this.header.locator('.actions .action-label'));
  }

  /** Number beside the view's name in its header, '' where there is none. */
  async headerBadge(): Promise<string> {
    const badge = this.header.locator('.monaco-count-badge');
    return (await badge.count()) === 0 ? '' : (await badge.first().innerText()).trim();
  }

  /** Words and links shown while the view is empty. */
  get welcome(): Locator {
    return this.pane.locator('.welcome-view-content');
  }

  /** Buttons shown while the view is empty. */
  async welcomeButtons(): Promise<string[]> {
    const buttons = this.welcome.locator('.monaco-button');
    await buttons.first().waitFor({ state: 'visible' });
    return (await buttons.allInnerTexts()).map((text) => text.trim());
  }

  /** Presses one of them. */
  async pressWelcomeButton(label: string | RegExp): Promise<void> {
    await this.welcome.locator('.monaco-button', { hasText: label }).click();
  }

  get #menu(): Locator {
    return this.#page.locator('.monaco-menu-container .monaco-menu').first();
  }

  get #entries(): Locator {
    return this.#menu.locator('.action-menu-item .action-label');
  }

  async #openMenu(name: string | RegExp): Promise<void> {
    await (await this.waitForItem(name)).click({ button: 'right' });
    await this.#entries.first().waitFor({ state: 'visible' });
  }
}

/** Whether something goes away within a moment. */
async function hides(what: Locator): Promise<boolean> {
  try {
    await what.waitFor({ state: 'hidden', timeout: 1_000 });
    return true;
  } catch (error) {
    if (!String(error).includes('Timeout')) throw error;
    return false;
  }
}

async function labels(actions: Locator): Promise<string[]> {
  await actions.first().waitFor({ state: 'visible' });
  const found = await actions.evaluateAll((elements) =>
    elements.map((element) => String(element.getAttribute('aria-label') ?? '')),
  );
  return found.filter((label) => label !== '');
}
