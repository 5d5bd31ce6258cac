import { join } from 'node:path';
import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { hubRuntime } from '../../client/hub-runtime.ts';
import { launchHub } from '../../client/launch-hub.ts';
import { stopHub } from '../../client/stop-hub.ts';
import { HubError } from '../../protocol/errors.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { places } from './places.ts';

/** How long a hub may take to answer after its start, ms. */
const START_MS = 30_000;

/** What the commands that control the hub work with. */
export interface HubCommandsOptions {
  readonly mirror: HubMirror;
  readonly documents: Documents;
  /** Folder of the extension; the hub lies in it. */
  readonly extensionPath: string;
}

/** Start, stop, restart, and what there is to know about the hub itself. */
export function hubCommands(options: HubCommandsOptions): Command[] {
  const { mirror, documents } = options;
  return [
    { id: COMMANDS.startHub, run: () => whileWaiting('Starting the hub', () => start(options)) },
    { id: COMMANDS.stopHub, run: () => whileWaiting('Stopping the hub', () => stop(options)) },
    {
      id: COMMANDS.restartHub,
      run: () =>
        whileWaiting('Restarting the hub', async () => {
          await stop(options);
          await start(options);
        }),
    },
    { id: COMMANDS.showLog, run: () => openFile(places().logFile) },
    { id: COMMANDS.openConfig, run: () => openConfig(mirror) },
    { id: COMMANDS.reloadConfig, run: () => reloadConfig(mirror) },
    { id: COMMANDS.showPlaces, run: () => showPlaces(mirror, documents) },
    { id: COMMANDS.runDoctor, run: () => runDoctor(mirror, documents) },
    {
      id: COMMANDS.showMetrics,
      run: async () => {
        const { text } = await withHub(mirror, 'Reading the metrics', (hub, signal) =>
          hub.request('metrics/text', {}, { signal }),
        );
        await documents.showReport('metrics.txt', text);
      },
    },
  ];
}

/** Starts one where none runs; a start that another window won is as good. */
async function start({ mirror, extensionPath }: HubCommandsOptions): Promise<void> {
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

/** The file that the running hub reads; where there is none yet, an empty one of the usual name to be filled and saved. */
async function openConfig(mirror: HubMirror): Promise<void> {
  const named =
    mirror.state.kind === 'running' ? (await mirror.ask((hub) => hub.request('hub/where', {}))).config : null;
  const uri = vscode.Uri.file(named ?? places().configFile);
  try {
    await vscode.workspace.fs.stat(uri);
  } catch (error) {
    if (!(error instanceof vscode.FileSystemError) || error.code !== 'FileNotFound') throw error;
    await vscode.window.showTextDocument(uri.with({ scheme: 'untitled' }));
    return;
  }
  await vscode.window.showTextDocument(uri);
}

async function reloadConfig(mirror: HubMirror): Promise<void> {
  const { changes } = await withHub(mirror, 'Reading the configuration', (hub) => hub.request('hub/reload', {}));
  const words = changes.length === 0 ? 'nothing had changed' : changes.map(plainLine).join(' ');
  void vscode.window.showInformationMessage(`Claude Sync: the configuration is in force: ${words}`);
}

async function showPlaces(mirror: HubMirror, documents: Documents): Promise<void> {
  const { dataDir, configFile, logFile } = places();
  const where = mirror.state.kind === 'running' ? await mirror.ask((hub) => hub.request('hub/where', {})) : null;
  const lines =
    where === null
      ? ['hub      not running', `data     ${dataDir}`, `config   ${configFile}`]
      : [
          `hub      pid ${where.pid}, version ${where.version}`,
          `data     ${where.dataDir}`,
          `config   ${where.config ?? 'none: this computer alone'}`,
          `socket   ${where.socket}`,
        ];
  await documents.showReport('where.txt', `${[...lines, `log      ${logFile}`].map(plainLine).join('\n')}\n`);
}

async function runDoctor(mirror: HubMirror, documents: Documents): Promise<void> {
  const { findings } = await withHub(mirror, 'Checking the hub and each machine', (hub, signal) =>
    hub.request('doctor/run', {}, { signal }),
  );
  const lines = findings.flatMap(({ severity, machine, message, fix }) => [
    `${severity.padEnd(7)}  ${machine === null ? '' : `${plainLine(machine)}: `}${plainLine(message)}`,
    ...(fix === null ? [] : [`         fix: ${plainLine(fix)}`]),
  ]);
  await documents.showReport('doctor.txt', `${lines.join('\n')}\n`);
}

async function openFile(path: string): Promise<void> {
  await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: true });
}

async function whileWaiting(title: string, task: () => Promise<void>): Promise<void> {
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title }, task);
}
