import type * as vscode from 'vscode';
import { HubMirror } from '../client/hub-mirror.ts';
import { alertCommands } from './alerts/alert-commands.ts';
import { attempt, registerCommands } from './command.ts';
import { approvalCommands } from './conflicts/approval-commands.ts';
import { conflictCommands } from './conflicts/conflict-commands.ts';
import { MergeEditor } from './conflicts/merge-editor.ts';
import { Documents } from './documents.ts';
import { AutoStart } from './hub/auto-start.ts';
import { ConfigDiagnostics } from './hub/config-diagnostics.ts';
import { HubAccess } from './hub/hub-access.ts';
import { hubCommands } from './hub/hub-commands.ts';
import { HubControl } from './hub/hub-control.ts';
import { addMachineCommand } from './machines/add-machine.ts';
import { machineCommands } from './machines/machine-commands.ts';
import { Notices } from './notices/notices.ts';
import { TellNews } from './notices/tell-news.ts';
import { pullCommands } from './pulls/pull-commands.ts';
import { StatusItem } from './status/status-item.ts';
import { terminalCommands } from './terminal/terminal-commands.ts';
import { versionCommands } from './versions/version-commands.ts';
import { Views } from './views.ts';
import { openWalkthrough } from './walkthrough.ts';

/** What `activate` returns. */
export interface Activated {
  /** How long `activate` kept the window waiting, ms. */
  readonly activatedInMs: number;
}

/** Builds everything that is shown and returns; looking for the hub happens afterwards. */
export function activate(context: vscode.ExtensionContext): Activated {
  const begun = performance.now();
  const { version } = context.extension.packageJSON as { version: string };
  const { extensionPath, globalState: memory } = context;
  const access = new HubAccess({ client: 'extension', version }, extensionPath);
  const mirror = new HubMirror({
    connect: () => access.connect(),
    retryMs: () => access.retryMs(),
    onChange: (part) => {
      if (part === 'state') {
        item.show();
        autoStart.stateChanged();
      }
      views.refresh(part);
      if (part === 'conflicts') documents.refreshSides();
      attempt(() => news.look());
    },
    onEnd: (end) => autoStart.ended(end),
  });
  const control = new HubControl(mirror, access, memory);
  const notices = new Notices();
  const news = new TellNews(mirror, notices, memory);
  const autoStart = new AutoStart({ mirror, control, notices, memory, version, attempt });
  const documents = new Documents(mirror);
  const item = new StatusItem(mirror);
  const views = new Views(mirror);
  const merging = new MergeEditor(mirror, context.globalStorageUri);
  const commands = registerCommands([
    item.command,
    ...hubCommands({ mirror, documents, control }),
    ...machineCommands(mirror, documents),
    addMachineCommand(mirror, documents),
    ...conflictCommands(mirror),
    ...merging.commands,
    ...approvalCommands(mirror, documents),
    ...pullCommands(mirror),
    ...alertCommands(mirror),
    ...versionCommands(mirror),
    ...terminalCommands({ extensionPath, storage: context.globalStorageUri }),
    openWalkthrough(context.extension.id),
  ]);
  const moved = access.onMove(() => void mirror.reconnect());
  context.subscriptions.push(mirror, documents, item, views, commands, moved, merging, new ConfigDiagnostics());
  mirror.start();
  return { activatedInMs: performance.now() - begun };
}
