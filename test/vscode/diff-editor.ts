import type { Locator, Page } from './playwright.ts';

/** Two texts side by side in the active editor. */
export class DiffEditor {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Waits until one is open. */
  async open(): Promise<void> {
    await this.#side('modified').locator('.view-lines').waitFor({ state: 'visible' });
  }

  /** What is drawn on the left. */
  left(): Promise<string> {
    return this.#text('original');
  }

  /** What is drawn on the right. */
  right(): Promise<string> {
    return this.#text('modified');
  }

  /** Replaces the whole text on the right. */
  async replaceRight(text: string): Promise<void> {
    await this.#side('modified').locator('.view-lines').click();
    await this.#page.keyboard.press('Control+A');
    // Pasted: typed, the editor would indent lines and close brackets.
    await this.#page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
    await this.#page.keyboard.press('Control+V');
  }

  /** The editor of one side, for anything else. */
  side(which: 'left' | 'right'): Locator {
    return this.#side(which === 'left' ? 'original' : 'modified');
  }

  #side(name: 'original' | 'modified'): Locator {
    return this.#page.locator(`.monaco-diff-editor .editor.${name}`).last();
  }

  async #text(name: 'original' | 'modified'): Promise<string> {
    await this.open();
    return drawnText(this.#side(name));
  }
}

/** The lines that an editor draws, in their order. Spaces are drawn as no-break spaces; here they are spaces again. */
export async function drawnText(editor: Locator): Promise<string> {
  const lines = await editor.locator('.view-lines .view-line').evaluateAll((elements) =>
    elements
      .map((line) => ({ top: Number.parseFloat(line.style.top), text: String(line.textContent) }))
      .sort((one, other) => one.top - other.top)
      .map(({ text }) => text),
  );
  return lines.join('\n').replaceAll('\u00a0', ' ').replaceAll('\u200c', '');
}
