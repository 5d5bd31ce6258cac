import type * as vscode from 'vscode';
import { findHub } from '../client/find-hub.ts';
import { HubMirror } from '../client/hub-mirror.ts';
import { alertCommands } from './alerts/alert-commands.ts';
import { registerCommands } from './command.ts';
import { conflictCommands } from './conflicts/conflict-commands.ts';
import { Documents } from './documents.ts';
import { hubCommands } from './hub/hub-commands.ts';
import { places } from './hub/places.ts';
import { machineCommands } from './machines/machine-commands.ts';
import { pullCommands } from './pulls/pull-commands.ts';
import { StatusItem } from './status/status-item.ts';
import { Views } from './views.ts';

/** What `activate` returns. */
export interface Activated {
  /** How long `activate` kept the window waiting, ms. */
  readonly activatedInMs: number;
}

/** Builds everything that is shown and returns; looking for the hub happens afterwards. */
export function activate(context: vscode.ExtensionContext): Activated {
  const begun = performance.now();
  const { version } = context.extension.packageJSON as { version: string };
  const mirror = new HubMirror({
    connect: () => findHub(places().dataDir, { client: 'extension', version }),
    onChange: (part) => {
      if (part === 'state') item.show();
      views.refresh(part);
    },
  });
  const documents = new Documents(mirror);
  const item = new StatusItem(mirror);
  const views = new Views(mirror);
  const commands = registerCommands([
    item.command,
    ...hubCommands({ mirror, documents, extensionPath: context.extensionPath }),
    ...machineCommands(mirror, documents),
    ...conflictCommands(mirror, documents),
    ...pullCommands(mirror),
    ...alertCommands(mirror),
  ]);
  context.subscriptions.push(mirror, documents, item, views, commands);
  mirror.start();
  return { activatedInMs: performance.now() - begun };
}
