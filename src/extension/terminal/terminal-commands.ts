import * as vscode from 'vscode';
import { noDestination, readDestination } from '../../client/destination.ts';
import { nodeForHub, hubProgram } from '../hub/local-hub.ts';
import type { Command } from '../command.ts';
import { COMMANDS, SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';
import { pathWith, writeLauncher } from './launcher.ts';

const NAME = 'Claude Sync';

/** What terminals are opened with. */
export interface TerminalCommandsOptions {
  readonly extensionPath: string;
  /** Folder of the extension, on this computer. */
  readonly storage: vscode.Uri;
}

/** The command line in a terminal, for whoever wants it, and for what stays in the foreground. */
export function terminalCommands(options: TerminalCommandsOptions): Command[] {
  return [
    { id: COMMANDS.openTerminal, run: () => openShell(options) },
    { id: COMMANDS.runDemo, run: () => runHere(options, `${NAME}: Demo`, ['demo']) },
    { id: COMMANDS.joinHub, run: () => join(options) },
  ];
}

/** The user's own shell, in which `claude-sync` is a command. */
async function openShell({ extensionPath, storage }: TerminalCommandsOptions): Promise<void> {
  const { command, env } = await nodeForHub();
  const folder = vscode.Uri.joinPath(storage, 'bin').fsPath;
  await writeLauncher(folder, { command, env, script: hubProgram(extensionPath) }, process.platform);
  const terminal = vscode.window.createTerminal({
    name: NAME,
    iconPath: new vscode.ThemeIcon('sync'),
    env: { ...placesOfHub(), PATH: pathWith(folder, process.env['PATH']) },
  });
  terminal.show();
  terminal.sendText('claude-sync status');
}

/** Words go to the program as they are: no shell reads them. */
async function runHere({ extensionPath }: TerminalCommandsOptions, name: string, words: string[]): Promise<void> {
  const { command, env } = await nodeForHub();
  const asNode = env['ELECTRON_RUN_AS_NODE'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  const terminal = vscode.window.createTerminal({
    name,
    iconPath: new vscode.ThemeIcon('sync'),
    shellPath: command,
    shellArgs: [hubProgram(extensionPath), ...words],
    env: { ...placesOfHub(), ...asNode },
  });
  terminal.show();
}

async function join(options: TerminalCommandsOptions): Promise<void> {
  const host = await vscode.window.showInputBox({
    title: 'Let a Hub Reach This Computer',
    placeHolder: '[user@]host[:port]',
    prompt:
      'The machine that the hub runs on, as you would write it for ssh. The way stays open while the terminal does.',
    ignoreFocusOut: true,
    validateInput: (value) => (readDestination(value.trim()) === null ? noDestination(value.trim()) : null),
  });
  if (host !== undefined) await runHere(options, `${NAME}: Join`, ['join', host.trim()]);
}

/** Where the settings say that the hub is, for the command line. */
function placesOfHub(): Record<string, string> {
  const dataDir = textSetting(SETTINGS.hubDataDir);
  return dataDir === '' || textSetting(SETTINGS.hubHost) !== '' ? {} : { CLAUDE_SYNC_DATA_DIR: dataDir };
}
