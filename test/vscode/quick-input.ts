import assert from 'node:assert/strict';
import { until } from '../black-box/ground.ts';
import type { Locator, Page } from './playwright.ts';

/** The box at the top of the window that lists things to choose from, or asks for a line of text. */
export class QuickInput {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** The whole box. */
  get box(): Locator {
    return this.#page.locator('.quick-input-widget');
  }

  /** Where one types. */
  get field(): Locator {
    return this.box.locator('.quick-input-filter input[type="text"]');
  }

  /** All rows that are drawn (a long list is drawn in part). */
  get rows(): Locator {
    return this.box.locator('.quick-input-list .monaco-list-row');
  }

  /** The row with a text. */
  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text }).first();
  }

  /** Waits until it is open. */
  async open(): Promise<void> {
    await this.box.waitFor({ state: 'visible' });
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    await this.box.waitFor({ state: 'hidden' });
  }

  /** Its title, '' where it has none. */
  async title(): Promise<string> {
    await this.open();
    return (await this.box.locator('.quick-input-title').innerText()).trim();
  }

  /** The grey words of an empty field. */
  async placeholder(): Promise<string> {
    await this.open();
    return (await this.field.getAttribute('placeholder')) ?? '';
  }

  /** What is said below the field of an input: its prompt, or what is wrong with the text. */
  async message(): Promise<string> {
    await this.open();
    return (await this.box.locator('.quick-input-message').innerText()).trim();
  }

  /** Waits for what is said below the field. */
  async messageWith(text: string | RegExp): Promise<void> {
    await this.box.locator('.quick-input-message', { hasText: text }).waitFor();
  }

  /** Waits until there are rows, @returns what they say: one string for each, its label, description and detail on lines of their own. */
  async visibleRows(): Promise<string[]> {
    await this.rows.first().waitFor();
    return this.rows.evaluateAll((rows) =>
      rows.map((row) => {
        const parts = row.querySelectorAll('.label-name, .label-description');
        const texts = Array.from(parts as Iterable<{ textContent: string }>, ({ textContent }) => textContent.trim());
        return texts.filter((text) => text !== '').join('\n');
      }),
    );
  }

  /** Replaces the text of the field. */
  async type(text: string): Promise<void> {
    await this.open();
    await this.field.fill(text);
  }

  /** Chooses the row with a text, filtering for `filter` first where the list is long. */
  async pick(text: string | RegExp, filter?: string): Promise<void> {
    await this.open();
    if (filter !== undefined) await this.type(filter);
    await this.row(text).click();
  }

  /** Ticks or unticks the row with a text, where several can be chosen. */
  async tick(text: string | RegExp): Promise<void> {
    await this.open();
    await this.row(text).locator('.quick-input-list-checkbox').click();
  }

  /** Takes what is chosen or typed: Enter. */
  async accept(): Promise<void> {
    await this.open();
    await this.#page.keyboard.press('Enter');
  }

  /** Types a line and takes it. */
  async enter(text: string): Promise<void> {
    await this.type(text);
    await until('the text is in the field', async () => (await this.field.inputValue()) === text);
    await this.accept();
  }

  /** Presses a button in the title or beside a row, by its tooltip. */
  async button(label: string | RegExp, within: Locator = this.box): Promise<void> {
    const name = typeof label === 'string' ? new RegExp(`^${escape(label)}`) : label;
    if (within !== this.box) await within.hover();
    await within.getByRole('button', { name }).first().click();
  }

  /** Closes it without choosing. */
  async cancel(): Promise<void> {
    await this.open();
    await this.#page.keyboard.press('Escape');
    await this.closed();
  }

  /**
   * Runs a command by its title as the palette shows it.
   * @throws when the palette does not offer it.
   */
  async runCommand(title: string): Promise<void> {
    // What the palette offers depends on what is known so far: it is asked anew until the command is there.
    await until(`the palette offers ${title}`, async () => {
      if (!(await this.#openPalette())) return false;
      await this.type(`>${title}`);
      if (await this.#showsCommand(title)) return true;
      await this.#page.keyboard.press('Escape');
      return false;
    });
    await this.#commandRow(title).click();
  }

  /** Whether the palette offers a command, asked once. */
  async offers(title: string): Promise<boolean> {
    await until('the palette opens', () => this.#openPalette());
    await this.type(`>${title}`);
    const shown = await this.#showsCommand(title);
    await this.cancel();
    return shown;
  }

  async #openPalette(): Promise<boolean> {
    await this.#page.keyboard.press('F1');
    try {
      await this.field.waitFor({ state: 'visible', timeout: 3_000 });
      return true;
    } catch (error) {
      // F1 is not heard yet, or the focus is in a webview that keeps it.
      assert.match(String(error), /Timeout/);
      return false;
    }
  }

  /** A row's label begins with a command's title; beside it there may be its keys. */
  #commandRow(title: string): Locator {
    return this.rows
      .filter({ has: this.#page.locator('.label-name', { hasText: new RegExp(`^\\s*${escape(title)}\\s*$`) }) })
      .first();
  }

  async #showsCommand(title: string): Promise<boolean> {
    // Rows are filtered a moment after the typing; where nothing fits, one says so.
    await this.rows.filter({ hasText: /./ }).first().waitFor();
    try {
      await this.#commandRow(title).waitFor({ state: 'visible', timeout: 1_500 });
      return true;
    } catch (error) {
      assert.match(String(error), /Timeout/);
      return false;
    }
  }
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
