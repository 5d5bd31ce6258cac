import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { noDestination, readDestination, type Destination } from '../../client/destination.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { MACHINE_NAME } from '../../hub/config/schema.ts';
import type { MachinesHostsResult } from '../../protocol/probe.ts';
import { pickText } from '../figures.ts';

/** What each step of the flow is called in its title. */
export const ADD_MACHINE_TITLE = 'Add Machine';

/** Where a machine to be added is. */
export type Target =
  { readonly kind: 'ssh'; readonly server: Destination } | { readonly kind: 'folder'; readonly claudeDir: string };

type Item = vscode.QuickPickItem & { readonly target?: Target; readonly asks?: 'server' | 'folder' };

/** Lets the user say which machine: one of the ssh_config of the hub, any SSH server, or a folder. */
export async function pickTarget(mirror: HubMirror): Promise<Target | undefined> {
  const { hosts } = await mirror.ask((hub) => hub.request('machines/hosts', {}));
  const known = hosts.filter(({ machine }) => machine === null).map(hostItem);
  const items: Item[] = [
    ...known,
    ...(known.length === 0 ? [] : [{ label: '', kind: vscode.QuickPickItemKind.Separator }]),
    { label: '$(server) Another SSH Server…', asks: 'server', alwaysShow: true },
    // Of the hub's computer, whose folders an editor shows only when it runs there, too.
    ...(mirror.elsewhere === null
      ? [{ label: '$(folder) A Folder of This Computer…', asks: 'folder' as const, alwaysShow: true }]
      : []),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: `${ADD_MACHINE_TITLE} (1/3): which one?`,
    placeHolder: known.length === 0 ? 'The ssh_config of the hub names none' : 'From the ssh_config of the hub',
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  if (picked?.asks === 'server') return askForServer();
  if (picked?.asks === 'folder') return askForFolder();
  return picked?.target;
}

function hostItem({ alias, hostname, user, port }: MachinesHostsResult['hosts'][number]): Item {
  const at = `${user === null ? '' : `${user}@`}${hostname ?? alias}${port === null ? '' : `:${port}`}`;
  return {
    label: pickText(alias),
    ...(at === alias ? {} : { description: pickText(at) }),
    target: { kind: 'ssh', server: { host: alias } },
  };
}

async function askForServer(): Promise<Target | undefined> {
  const text = await vscode.window.showInputBox({
    title: `${ADD_MACHINE_TITLE} (1/3): which SSH server?`,
    placeHolder: '[user@]host[:port]',
    prompt: 'As you would write it for ssh; keys, agent and ssh_config of the hub are used.',
    ignoreFocusOut: true,
    validateInput: (value) => (readDestination(value.trim()) === null ? noDestination(value.trim()) : null),
  });
  const destination = text === undefined ? null : readDestination(text.trim());
  return destination === null ? undefined : { kind: 'ssh', server: destination };
}

async function askForFolder(): Promise<Target | undefined> {
  const [folder] =
    (await vscode.window.showOpenDialog({
      title: 'Folder of Claude Code',
      openLabel: 'Use as Claude Folder',
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: vscode.Uri.file(homedir()),
    })) ?? [];
  return folder === undefined ? undefined : { kind: 'folder', claudeDir: folder.fsPath };
}

/** Asks what the machine is to be called. @param taken names that are in use. */
export async function askForName(target: Target, taken: readonly string[]): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: `${ADD_MACHINE_TITLE} (2/3): how is it to be called?`,
    value: suggestName(target, taken),
    prompt: 'Its name in all lists, and in the configuration.',
    ignoreFocusOut: true,
    validateInput: (value) => {
      if (taken.includes(value)) return `There is a machine ${value} already.`;
      if (MACHINE_NAME.test(value)) return null;
      return 'A name begins with a letter or digit, and has only letters, digits, ".", "_" and "-" (at most 63).';
    },
  });
}

function suggestName(target: Target, taken: readonly string[]): string {
  const from = target.kind === 'ssh' ? target.server.host : basename(dirname(target.claudeDir));
  const name = from
    .replace(/\.local$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return MACHINE_NAME.test(name) && !taken.includes(name) ? name : '';
}
