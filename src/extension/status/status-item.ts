import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { escapeMarkdown, pickText } from '../figures.ts';
import { statusText } from './status-text.ts';

/** The item in the status bar, and the list behind it. */
export class StatusItem implements vscode.Disposable {
  readonly #mirror: HubMirror;
  readonly #item: vscode.StatusBarItem;

  constructor(mirror: HubMirror) {
    this.#mirror = mirror;
    this.#item = vscode.window.createStatusBarItem('claudeSync.status', vscode.StatusBarAlignment.Left);
    this.#item.name = 'Claude Sync';
    this.#item.command = COMMANDS.showStatus;
    this.show();
    this.#item.show();
  }

  /** Each machine on a line, and what can be done about it. */
  get command(): Command {
    return { id: COMMANDS.showStatus, run: () => this.#list() };
  }

  /** Shows what is so now. */
  show(): void {
    const { text, lines, actions } = statusText(this.#mirror.state, this.#mirror.elsewhere);
    this.#item.text = text;
    const tooltip = new vscode.MarkdownString('', true);
    // Commands of ours alone; what machines say is escaped.
    tooltip.isTrusted = { enabledCommands: actions.map(({ command }) => command) };
    for (const line of lines) tooltip.appendMarkdown(`${escapeMarkdown(line)}\n\n`);
    const links = actions.map(({ label, icon, command }) => `[$(${icon}) ${label}](command:${command})`);
    tooltip.appendMarkdown(links.join(' &nbsp; '));
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: `Claude Sync: ${lines.join(', ')}` };
  }

  dispose(): void {
    this.#item.dispose();
  }

  async #list(): Promise<void> {
    await this.#mirror.refresh();
    const { text, lines, actions } = statusText(this.#mirror.state, this.#mirror.elsewhere);
    const picked = await vscode.window.showQuickPick<vscode.QuickPickItem & { readonly command?: string }>(
      [
        ...lines.map((line) => ({ label: pickText(line) })),
        { label: '', kind: vscode.QuickPickItemKind.Separator },
        ...actions.map(({ label, icon, command }) => ({ label: `$(${icon}) ${label}`, command })),
      ],
      { title: text.replace(/^\$\([^)]*\) /, '') },
    );
    if (picked?.command !== undefined) await vscode.commands.executeCommand(picked.command);
  }
}
