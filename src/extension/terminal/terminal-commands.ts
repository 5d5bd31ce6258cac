import * as vscode from 'vscode';
import { noDestination, readDestination } from '../../client/destination.ts';
import { nodeForHub, hubProgram } from '../hub/local-hub.ts';
import type { Command } from '../command.ts';
import { COMMANDS, SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';
import { pathWith, writeLauncher } from './launcher.ts';
import { isShellSafe, runInShell } from './run-in-shell.ts';

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
    { id: COMMANDS.openTerminal, run: () => run(options, NAME, ['status']) },
    { id: COMMANDS.runDemo, run: () => run(options, `${NAME}: Demo`, ['demo']) },
    { id: COMMANDS.joinHub, run: () => join(options) },
  ];
}

/** In the user's own shell, in which `claude-sync` is a command from then on. */
async function run({ extensionPath, storage }: TerminalCommandsOptions, name: string, words: string[]): Promise<void> {
  const { command, env } = await nodeForHub();
  const folder = vscode.Uri.joinPath(storage, 'bin').fsPath;
  await writeLauncher(folder, { command, env, script: hubProgram(extensionPath) }, process.platform);
  const path = { PATH: pathWith(folder, process.env['PATH']) };
  runInShell({ name, icon: 'sync', words: ['claude-sync', ...words], env: { ...placesOfHub(), ...path } });
}

async function join(options: TerminalCommandsOptions): Promise<void> {
  const host = await vscode.window.showInputBox({
    title: 'Let a Hub Reach This Computer',
    placeHolder: '[user@]host[:port]',
    prompt:
      'The machine that the hub runs on, as you would write it for ssh. The way stays open while the terminal does.',
    ignoreFocusOut: true,
    validateInput: (value) => {
      const text = value.trim();
      if (readDestination(text) === null) return noDestination(text);
      return isShellSafe(text)
        ? null
        : 'Only letters, digits and . _ - @ : here; anything else as an alias of your ssh_config.';
    },
  });
  if (host !== undefined) await run(options, `${NAME}: Join`, ['join', host.trim()]);
}

/** Where the settings say that the hub is, for the command line. */
function placesOfHub(): Record<string, string> {
  const dataDir = textSetting(SETTINGS.hubDataDir);
  return dataDir === '' || textSetting(SETTINGS.hubHost) !== '' ? {} : { CLAUDE_SYNC_DATA_DIR: dataDir };
}
