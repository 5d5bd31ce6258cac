import * as vscode from 'vscode';
import type { Command } from './command.ts';
import { COMMANDS, WALKTHROUGH } from './contributions.ts';

/** Shows the first steps. @param extensionId `publisher.name`. */
export function openWalkthrough(extensionId: string): Command {
  return {
    id: COMMANDS.openWalkthrough,
    run: async () => {
      await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extensionId}#${WALKTHROUGH}`, false);
    },
  };
}
