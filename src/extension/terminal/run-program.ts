import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';

/** A program in a terminal of its own. */
export interface ProgramRun {
  /** Of the terminal. */
  readonly name: string;
  /** Looked for in the PATH. */
  readonly program: string;
  /** Passed as they are; no shell reads them. */
  readonly words: readonly string[];
  readonly icon: string;
  /** Default: the first folder of the workspace. */
  readonly cwd?: vscode.Uri;
}

/** Runs a program in a terminal; where it is not installed, its command is copied instead, and that is said. */
export async function runProgram({ name, program, words, icon, cwd }: ProgramRun): Promise<void> {
  const found = await inPath(program);
  if (found === null) {
    const command = [program, ...words].join(' ');
    await vscode.env.clipboard.writeText(command);
    const told = `${program} is not in the PATH here. Its command is in the clipboard: ${plainLine(command)}`;
    void vscode.window.showWarningMessage(`Claude Sync: ${told}`);
    return;
  }
  const terminal = vscode.window.createTerminal({
    name,
    shellPath: found,
    shellArgs: [...words],
    iconPath: new vscode.ThemeIcon(icon),
    ...(cwd === undefined ? {} : { cwd }),
  });
  terminal.show();
}

async function inPath(program: string): Promise<string | null> {
  const names = process.platform === 'win32' ? [`${program}.exe`] : [program];
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of names) if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch (error) {
    // Not there, or not for us: the next folder.
    if (error instanceof Error) return false;
    throw error;
  }
}
