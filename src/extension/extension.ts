import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { hubPaths } from '../hub/config/paths.ts';
import { HubLink, type HubState } from './hub-link.ts';
import { statusText } from './status-text.ts';

/** Identifier of the one command, as package.json declares it. */
const SHOW_STATUS = 'claudeSync.showStatus';

/** Builds the status item and the command and returns; looking for the hub happens afterwards. */
export function activate(context: vscode.ExtensionContext): void {
  let state: HubState = { kind: 'connecting' };
  const item = vscode.window.createStatusBarItem('claudeSync.status', vscode.StatusBarAlignment.Left);
  item.name = 'Claude Sync';
  item.command = SHOW_STATUS;
  const show = (next: HubState): void => {
    state = next;
    const { text, lines } = statusText(next);
    item.text = text;
    item.tooltip = lines.join('\n');
    item.accessibilityInformation = { label: `Claude Sync: ${lines.join(', ')}` };
  };
  const link = new HubLink({ dataDir: dataDir(), version: versionOf(context), onState: show });
  const command = vscode.commands.registerCommand(SHOW_STATUS, async () => {
    await link.refresh();
    const { text, lines } = statusText(state);
    const title = text.replace(/^\$\([^)]*\) /, '');
    await vscode.window.showQuickPick(
      lines.map((label) => ({ label })),
      { title },
    );
  });
  context.subscriptions.push(item, link, command);
  item.show();
  link.start();
}

function dataDir(): string {
  const named = vscode.workspace.getConfiguration('claudeSync').get<string>('dataDir', '');
  const { env, platform } = process;
  const uid = String(process.getuid?.() ?? '');
  const dataDir = named === '' ? undefined : named;
  return hubPaths({ env, platform, home: homedir(), tmp: tmpdir(), uid, cwd: homedir(), dataDir }).dataDir;
}

function versionOf(context: vscode.ExtensionContext): string {
  const { version } = context.extension.packageJSON as { version: string };
  return version;
}
