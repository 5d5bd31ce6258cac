import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { findHub } from '../client/find-hub.ts';
import { HubMirror } from '../client/hub-mirror.ts';
import { hubPaths, type HubPaths } from '../hub/config/paths.ts';
import { COMMANDS, SECTION, SETTINGS } from './contributions.ts';
import { registerHubCommands } from './hub-commands.ts';
import { statusText } from './status-text.ts';

/** Builds the status item and the commands and returns; looking for the hub happens afterwards. */
export function activate(context: vscode.ExtensionContext): void {
  const item = vscode.window.createStatusBarItem('claudeSync.status', vscode.StatusBarAlignment.Left);
  item.name = 'Claude Sync';
  item.command = COMMANDS.showStatus;
  const who = { client: 'extension', version: versionOf(context) };
  const mirror = new HubMirror({
    connect: () => findHub(places().dataDir, who),
    onChange: (part) => {
      if (part === 'state') show();
    },
  });
  const show = (): void => {
    const { text, lines } = statusText(mirror.state);
    item.text = text;
    item.tooltip = lines.join('\n');
    item.accessibilityInformation = { label: `Claude Sync: ${lines.join(', ')}` };
  };
  const command = vscode.commands.registerCommand(COMMANDS.showStatus, async () => {
    await mirror.refresh();
    const { text, lines } = statusText(mirror.state);
    const title = text.replace(/^\$\([^)]*\) /, '');
    await vscode.window.showQuickPick(
      lines.map((label) => ({ label })),
      { title },
    );
  });
  const control = registerHubCommands({ mirror, places, extensionPath: context.extensionPath });
  context.subscriptions.push(item, mirror, command, control);
  show();
  item.show();
  mirror.start();
}

/** Read anew each time: a changed setting takes effect with the next connection. */
function places(): HubPaths {
  const named = vscode.workspace.getConfiguration(SECTION).get<string>(SETTINGS.dataDir, '');
  const { env, platform } = process;
  const uid = String(process.getuid?.() ?? '');
  const dataDir = named === '' ? undefined : named;
  return hubPaths({ env, platform, home: homedir(), tmp: tmpdir(), uid, cwd: homedir(), dataDir });
}

function versionOf(context: vscode.ExtensionContext): string {
  const { version } = context.extension.packageJSON as { version: string };
  return version;
}
