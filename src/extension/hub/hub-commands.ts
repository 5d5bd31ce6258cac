import { join } from 'node:path';
import * as vscode from 'vscode';
import type { HubMirror } from '../client/hub-mirror.ts';
import { hubRuntime } from '../client/hub-runtime.ts';
import { launchHub } from '../client/launch-hub.ts';
import { stopHub } from '../client/stop-hub.ts';
import type { HubPaths } from '../hub/config/paths.ts';
import { HubError } from '../protocol/errors.ts';
import { COMMANDS } from './contributions.ts';
import { failureText } from './failure-text.ts';

/** How long a hub may take to answer after its start, ms. */
const START_MS = 30_000;

/** What the commands that control the hub work with. */
export interface HubCommandsOptions {
  readonly mirror: HubMirror;
  /** Where the hub of this window keeps things, by the settings of now. */
  readonly places: () => HubPaths;
  /** Folder of the extension; the hub lies in it. */
  readonly extensionPath: string;
}

/** Start, stop, restart, log. A failure is shown with what it left as it was and the next step. */
export function registerHubCommands(options: HubCommandsOptions): vscode.Disposable {
  const command = (id: string, title: string, task: () => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(id, () => withProgress(title, task));
  return vscode.Disposable.from(
    command(COMMANDS.startHub, 'Starting the hub', () => start(options)),
    command(COMMANDS.stopHub, 'Stopping the hub', () => stop(options)),
    command(COMMANDS.restartHub, 'Restarting the hub', async () => {
      await stop(options);
      await start(options);
    }),
    command(COMMANDS.showLog, 'Opening the log', async () => {
      await vscode.window.showTextDocument(vscode.Uri.file(options.places().logFile), { preview: true });
    }),
  );
}

/** Starts one where none runs; a start that another window won is as good. */
async function start({ mirror, places, extensionPath }: HubCommandsOptions): Promise<void> {
  await mirror.refresh();
  if (mirror.state.kind === 'running') return;
  const { execPath, versions, env } = process;
  const isElectron = versions['electron'] !== undefined;
  const runtime = await hubRuntime({ execPath, node: versions.node, isElectron, env });
  const program = { command: runtime.command, args: [join(extensionPath, 'dist', 'claude-sync.js')] };
  const hub = await launchHub({
    places: places(),
    program,
    env: runtime.env,
    client: 'extension',
    timeoutMs: START_MS,
  });
  hub.close();
  await mirror.refresh();
}

/** Where none runs there is nothing to do. */
async function stop({ mirror }: HubCommandsOptions): Promise<void> {
  try {
    await mirror.ask((hub) => stopHub(hub));
  } catch (error) {
    if (!HubError.is(error, 'not-running')) throw error;
  }
}

async function withProgress(title: string, task: () => Promise<void>): Promise<void> {
  try {
    await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, task);
  } catch (error) {
    await vscode.window.showErrorMessage(failureText(error));
  }
}
