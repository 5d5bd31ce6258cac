import * as vscode from 'vscode';
import type { Setting } from '../contributions.ts';
import { isOn, remember } from '../settings.ts';

const NO_MORE = "Don't Show Again";

/** Notifications for what needs the user. Each kind has a setting, and a button that switches it off. */
export class Notices {
  /**
   * Shows a sentence, unless its kind is switched off.
   * @param words plain text; the name of the product goes before it. @returns the button that was pressed, if any.
   */
  async tell(setting: Setting, words: string, ...buttons: string[]): Promise<string | undefined> {
    if (!isOn(setting)) return undefined;
    const pressed = await vscode.window.showWarningMessage(`Claude Sync: ${words}`, ...buttons, NO_MORE);
    if (pressed !== NO_MORE) return pressed;
    await remember(setting, false);
    return undefined;
  }
}
