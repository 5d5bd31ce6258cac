import * as vscode from 'vscode';
import type { HubMirror } from '../client/hub-mirror.ts';
import type { HubClient } from '../client/connect.ts';
import { HubError } from '../protocol/errors.ts';
import { COMMANDS, type CommandId } from './contributions.ts';
import { failureText } from './failure-text.ts';

/** A command, and what it does. `argument`: the row it was called on, nothing from the palette. */
export interface Command {
  readonly id: CommandId;
  readonly run: (argument: unknown) => Promise<void>;
}

/** Registers commands; a failure of any of them is shown with what it left as it was and the next step. */
export function registerCommands(commands: readonly Command[]): vscode.Disposable {
  return vscode.Disposable.from(
    ...commands.map(({ id, run }) =>
      vscode.commands.registerCommand(id, async (argument: unknown) => {
        try {
          await run(argument);
        } catch (error) {
          await showFailure(error);
        }
      }),
    ),
  );
}

/** Carries out something that nobody asked for with a command; its failure is shown in the same way. */
export function attempt(task: () => Promise<void>): void {
  task().catch(showFailure);
}

/** A task that is short and has no end of its own; its progress is shown. */
export async function whileWaiting(title: string, task: () => Promise<void>): Promise<void> {
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, task);
}

/** A task of the hub that may take a while: its progress is shown, and Cancel ends it. */
export async function withHub<T>(
  mirror: HubMirror,
  title: string,
  task: (hub: HubClient, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title, cancellable: true }, async (_progress, token) => {
    const cancel = new AbortController();
    token.onCancellationRequested(() => cancel.abort());
    return mirror.ask((hub) => task(hub, cancel.signal));
  });
}

/** What the user stopped needs no words; where no hub runs, starting one is a click away. */
async function showFailure(error: unknown): Promise<void> {
  if (HubError.is(error, 'cancelled')) return;
  const start = 'Start Hub';
  const buttons = HubError.is(error, 'not-running') ? [start] : [];
  const pressed = await vscode.window.showErrorMessage(failureText(error), ...buttons);
  if (pressed === start) await vscode.commands.executeCommand(COMMANDS.startHub);
}
