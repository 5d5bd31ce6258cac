import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { pickText } from '../figures.ts';
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
    const { text, lines, kind } = statusText(this.#mirror.state);
    this.#item.text = text;
    const tooltip = new vscode.MarkdownString();
    // Commands of ours alone: what machines say is appended as text.
    tooltip.isTrusted = { enabledCommands: [COMMANDS.startHub, COMMANDS.syncNow, COMMANDS.showLog] };
    for (const line of lines) tooltip.appendText(line).appendMarkdown('\n\n');
    tooltip.appendMarkdown(
      kind === 'stopped'
        ? `[Start the hub](command:${COMMANDS.startHub})`
        : `[Sync now](command:${COMMANDS.syncNow}) · [Log](command:${COMMANDS.showLog})`,
    );
    this.#item.tooltip = tooltip;
    this.#item.accessibilityInformation = { label: `Claude Sync: ${lines.join(', ')}` };
  }

  dispose(): void {
    this.#item.dispose();
  }

  async #list(): Promise<void> {
    await this.#mirror.refresh();
    const { text, lines, kind } = statusText(this.#mirror.state);
    const actions: (vscode.QuickPickItem & { readonly id?: string })[] =
      kind === 'stopped'
        ? [{ label: '$(play) Start the hub', id: COMMANDS.startHub }]
        : [
            { label: '$(sync) Sync now', id: COMMANDS.syncNow },
            { label: '$(list-tree) Show the machines', id: 'claudeSync.machines.focus' },
            { label: '$(output) Show the log of the hub', id: COMMANDS.showLog },
          ];
    const picked = await vscode.window.showQuickPick(
      [
        ...lines.map((line): (typeof actions)[number] => ({ label: pickText(line) })),
        { label: '', kind: vscode.QuickPickItemKind.Separator },
        ...actions,
      ],
      { title: text.replace(/^\$\([^)]*\) /, '') },
    );
    if (picked?.id !== undefined) await vscode.commands.executeCommand(picked.id);
  }
}
