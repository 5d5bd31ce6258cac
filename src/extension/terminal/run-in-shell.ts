import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import { HubError } from '../../protocol/errors.ts';

/** A command in a terminal of its own, in the user's shell: what it printed stays when it ends. */
export interface ShellRun {
  /** Of the terminal. */
  readonly name: string;
  readonly icon: string;
  /** Program and words. */
  readonly words: readonly string[];
  /** Default: the first folder of the workspace. */
  readonly cwd?: vscode.Uri;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Which shell it will be is not known, and each quotes in its own way: only words that none of them reads as anything else. */
const SAFE = /^[A-Za-z0-9._@:/-]+$/;

/** Whether a word can be part of such a command. */
export function isShellSafe(word: string): boolean {
  return SAFE.test(word);
}

/** Runs a command in a terminal. @throws {HubError} `refused` for words that a shell could read as something else. */
export function runInShell({ name, icon, words, cwd, env }: ShellRun): void {
  const unsafe = words.find((word) => !isShellSafe(word));
  if (unsafe !== undefined)
    throw new HubError('refused', `${plainLine(unsafe)} is not passed to a shell`, {
      unchanged: 'Nothing was run.',
      next: 'Run it by hand, in quotes as your shell wants them.',
    });
  const terminal = vscode.window.createTerminal({
    name,
    iconPath: new vscode.ThemeIcon(icon),
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  });
  terminal.show();
  terminal.sendText(words.join(' '));
}
