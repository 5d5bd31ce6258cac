import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { whileWaiting, withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import type { HubControl } from './hub-control.ts';
import { hubReports } from './hub-reports.ts';
import { openHubFile } from './open-hub-file.ts';
import { places } from './places.ts';

/** What the commands that control the hub work with. */
export interface HubCommandsOptions {
  readonly mirror: HubMirror;
  readonly documents: Documents;
  readonly control: HubControl;
}

/** Start, stop, restart, its files, and what there is to know about the hub itself. */
export function hubCommands({ mirror, documents, control }: HubCommandsOptions): Command[] {
  return [
    { id: COMMANDS.startHub, run: () => whileWaiting('Starting the hub', () => control.start()) },
    { id: COMMANDS.stopHub, run: () => whileWaiting('Stopping the hub', () => control.stop()) },
    { id: COMMANDS.restartHub, run: () => whileWaiting('Restarting the hub', () => control.restart()) },
    { id: COMMANDS.showLog, run: async () => void (await openHubFile(mirror, 'log', places().logFile)) },
    { id: COMMANDS.openConfig, run: () => openConfig(mirror) },
    { id: COMMANDS.reloadConfig, run: () => reloadConfig(mirror) },
    ...hubReports(mirror, documents),
  ];
}

/** The file that the running hub reads; where there is none yet, an empty one of the usual name to be filled and saved. */
async function openConfig(mirror: HubMirror): Promise<void> {
  const named =
    mirror.state.kind === 'running' ? (await mirror.ask((hub) => hub.request('hub/where', {}))).config : null;
  await openHubFile(mirror, 'configuration', named ?? places().configFile);
}

async function reloadConfig(mirror: HubMirror): Promise<void> {
  const { changes } = await withHub(mirror, 'Reading the configuration', (hub) => hub.request('hub/reload', {}));
  const words = changes.length === 0 ? 'nothing had changed' : changes.map(plainLine).join(' ');
  void vscode.window.showInformationMessage(`Claude Sync: the configuration is in force: ${words}`);
}
