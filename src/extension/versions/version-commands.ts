import * as vscode from 'vscode';
import { bytes, count } from '../../client/figures.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { SessionsForgetResult, Version } from '../../protocol/versions.ts';
import { withHub, type Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { localTime, pickText } from '../figures.ts';
import { conversationOf, keyOfFile, REASON_WORDS } from './version-words.ts';

/** Bringing back what was, and forgetting for good. */
export function versionCommands(mirror: HubMirror): Command[] {
  return [
    { id: COMMANDS.restoreVersion, run: () => restore(mirror) },
    { id: COMMANDS.forgetSession, run: () => forget(mirror) },
  ];
}

/** Which file, then which of its versions, or the newest state where a machine swept it away. */
async function restore(mirror: HubMirror): Promise<void> {
  const open = activePath();
  const asked = await vscode.window.showInputBox({
    title: 'Restore a File or Conversation',
    prompt: 'A path below the Claude folder, such as agents/reviewer.md, or the id of a conversation.',
    value: open === null ? '' : (keyOfFile(open) ?? ''),
    ignoreFocusOut: true,
  });
  const text = asked?.trim() ?? '';
  if (text === '') return;
  const { key, versions } = await mirror.ask((hub) => hub.request('versions/list', { key: text }));
  const isLog = key.startsWith('session/');
  const items = [
    {
      label: '$(archive) As it is in the archive',
      description: 'on machines that do not have it',
      version: null,
    },
    ...versions
      .filter(({ isHead }) => !isHead)
      .map((version) => ({ ...versionItem(version), version: version.version })),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: `Restore ${plainLine(key)}: which version?`,
    placeHolder: isLog
      ? 'A version of a conversation comes back as a conversation of its own'
      : 'A version comes into force on all machines; what is there now is kept',
    matchOnDescription: true,
  });
  if (picked === undefined) return;
  const params = { key, ...(picked.version === null ? {} : { version: picked.version }) };
  const result = await withHub(mirror, `Restoring ${plainLine(key)}`, (hub) => hub.request('versions/restore', params));
  const where = result.machines.length === 0 ? 'no machine yet' : result.machines.map(plainLine).join(', ');
  const name = result.restoredAs === result.key ? '' : ` as ${plainLine(result.restoredAs)}`;
  const words = `${plainLine(result.key)} (${bytes(result.bytes)}) is restored to ${where}${name}.`;
  void vscode.window.showInformationMessage(`Claude Sync: ${words}`);
}

function versionItem({ at, machine, bytes: size, reason }: Version): vscode.QuickPickItem {
  return {
    label: localTime(at),
    description: pickText(`${bytes(size)}, of ${machine}, ${REASON_WORDS[reason]}`),
  };
}

/** The one deliberate delete: what goes is shown first. */
async function forget(mirror: HubMirror): Promise<void> {
  const open = activePath();
  const session = await vscode.window.showInputBox({
    title: 'Forget a Conversation',
    prompt: 'Its id. What would be deleted is shown before anything is.',
    value: open === null ? '' : (conversationOf(open) ?? ''),
    ignoreFocusOut: true,
  });
  const text = session?.trim() ?? '';
  if (text === '') return;
  const preview = await mirror.ask((hub) => hub.request('sessions/forget', { session: text, preview: true }));
  const accept = 'Forget for Good';
  const question = `Forget the conversation ${preview.title === null ? plainLine(preview.session) : `“${plainLine(preview.title)}”`}?`;
  const pressed = await vscode.window.showWarningMessage(
    question,
    { modal: true, detail: describe(preview, away(mirror)) },
    accept,
  );
  if (pressed !== accept) return;
  const name = plainLine(preview.session);
  await withHub(mirror, `Forgetting ${name}`, (hub) =>
    hub.request('sessions/forget', { session: preview.session, preview: false }),
  );
  void vscode.window.showInformationMessage(`Claude Sync: the conversation ${name} is forgotten.`);
}

function describe(preview: SessionsForgetResult, offline: ReadonlySet<string>): string {
  const { machines, keys, versions, historyLines, bytes: size } = preview;
  const later = machines.filter((name) => offline.has(name)).map(plainLine);
  return [
    'It is deleted on all machines and from the archive. This cannot be undone.',
    '',
    `${bytes(size)} in ${count(keys.length, 'file')}, ${count(versions, 'kept version')}, ${count(historyLines, 'prompt')} in the history`,
    `on ${machines.length === 0 ? 'no machine' : machines.map(plainLine).join(', ')}`,
    ...(later.length === 0 ? [] : [`${later.join(', ')}: deleted when reachable again`]),
  ].join('\n');
}

function away({ state }: HubMirror): ReadonlySet<string> {
  const machines = state.kind === 'running' ? state.status.machines : [];
  return new Set(machines.filter(({ status }) => status === 'offline').map(({ name }) => name));
}

function activePath(): string | null {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === 'file' ? uri.fsPath : null;
}
