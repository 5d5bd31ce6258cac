import { until } from '../black-box/ground.ts';
import type { Locator, Page } from './playwright.ts';

/** What VS Code tells and asks by itself: notifications, and dialogs that have to be answered. */
export class Messages {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** All notifications that are drawn: those that pop up, or those in the list of all. */
  get #items(): Locator {
    return this.#page.locator(
      '.notifications-toasts .notification-list-item, .notifications-center .notification-list-item',
    );
  }

  /**
   * Waits for a notification, @returns it. One that has gone from the corner by itself is looked for in the list of all; with a server that
   * has the driver they are only there.
   */
  async notification(text: string | RegExp): Promise<Locator> {
    const found = this.#items.filter({ hasText: text }).first();
    await until(`a notification says ${String(text)}`, async () => {
      if (await this.#appears(found)) return true;
      await this.#showAll();
      return this.#appears(found);
    });
    return found;
  }

  /** Texts of all notifications that are kept. */
  async texts(): Promise<string[]> {
    await this.#showAll();
    const texts = await this.#items.locator('.notification-list-item-message').allInnerTexts();
    return texts.map((text) => text.trim());
  }

  /** Buttons of a notification. */
  async buttons(notification: Locator): Promise<string[]> {
    // They are hidden until the notification is unfolded, and drawn in one that has any.
    const names = await notification
      .locator('.notification-list-item-buttons-container .monaco-button')
      .allInnerTexts();
    return names.map((name) => name.trim()).filter((name) => name !== '');
  }

  /** Presses a button of a notification. */
  async press(notification: Locator, button: string | RegExp): Promise<void> {
    const found = notification
      .locator('.notification-list-item-buttons-container .monaco-button', { hasText: button })
      .first();
    await until(`${String(button)} is pressed`, async () => {
      // A tooltip of whatever the pointer rests on may lie above it; and notifications are drawn anew when one more comes.
      await this.#page.mouse.move(0, 0);
      try {
        await found.click({ timeout: 3_000 });
        return true;
      } catch (error) {
        if (!String(error).includes('Timeout')) throw error;
        return false;
      }
    });
  }

  /** Takes all notifications away. */
  async clear(): Promise<void> {
    await this.#showAll();
    const clear = this.#page.locator('.notifications-center .action-label.codicon-notifications-clear-all');
    if (await clear.isVisible()) await clear.click();
    await this.#page.keyboard.press('Escape');
  }

  /** The dialog that waits for an answer. */
  get dialog(): Locator {
    return this.#page.locator('.monaco-dialog-box');
  }

  /** Waits for a dialog, @returns its text: message and detail. */
  async dialogText(): Promise<string> {
    const parts = this.dialog.locator('.dialog-message-text, .dialog-message-detail');
    await parts.first().waitFor({ state: 'visible' });
    return (await parts.allInnerTexts())
      .map((text) => text.trim())
      .filter((text) => text !== '')
      .join('\n');
  }

  /** Buttons of the dialog. */
  async dialogButtons(): Promise<string[]> {
    const buttons = this.dialog.locator('.dialog-buttons .monaco-button');
    await buttons.first().waitFor({ state: 'visible' });
    return (await buttons.allInnerTexts()).map((text) => text.trim()).filter((text) => text !== '');
  }

  /** Answers the dialog and waits until it is gone. */
  async answer(button: string): Promise<void> {
    const exactly = new RegExp(`^\\s*${button.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`);
    await this.dialog.locator('.dialog-buttons .monaco-button', { hasText: exactly }).click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  /** Whether something pops up within a moment. */
  async #appears(what: Locator): Promise<boolean> {
    try {
      await what.waitFor({ state: 'visible', timeout: 3_000 });
      return true;
    } catch (error) {
      if (!String(error).includes('Timeout')) throw error;
      return false;
    }
  }

  async #showAll(): Promise<void> {
    const center = this.#page.locator('.notifications-center.visible');
    if (await center.isVisible()) return;
    await this.#page.locator('.part.statusbar [id="status.notifications"]').click();
  }
}
