import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { localTime, pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';

/** Looking at what waits for approval, and deciding about it. */
export function approvalCommands(mirror: HubMirror, documents: Documents): Command[] {
  return [
    { id: COMMANDS.showApproval, run: (argument) => showApproval(mirror, documents, argument) },
    { id: COMMANDS.acceptApproval, run: (argument) => decide(mirror, argument, 'accept') },
    { id: COMMANDS.rejectApproval, run: (argument) => decide(mirror, argument, 'reject') },
  ];
}

async function approvalOf(mirror: HubMirror, argument: unknown): Promise<number | undefined> {
  const id = subjectOf(argument, 'approval')?.id;
  if (id !== undefined) return id;
  const { approvals } = await mirror.ask((hub) => hub.request('approve/list', {}));
  if (approvals.length === 0) {
    void vscode.window.showInformationMessage('Claude Sync: nothing waits for approval.');
    return undefined;
  }
  const items = approvals.map((approval) => ({
    label: pickText(approval.key),
    description: `from ${pickText(approval.machine)}, ${localTime(approval.at)}`,
    approval,
  }));
  return (await vscode.window.showQuickPick(items, { title: 'Which content?' }))?.approval.id;
}

async function showApproval(mirror: HubMirror, documents: Documents, argument: unknown): Promise<void> {
  const id = await approvalOf(mirror, argument);
  if (id === undefined) return;
  const { approval } = await mirror.ask((hub) => hub.request('approve/show', { id }));
  const { key, machine } = approval;
  await vscode.commands.executeCommand(
    'vscode.diff',
    documents.approval(id, 'current', key),
    documents.approval(id, 'proposed', key),
    plainLine(`${basename(key)}: now ↔ as ${machine} wants it`),
    { preview: true },
  );
}

/** Accepting puts something into force that is run, so it is asked, and holds for what the user saw alone. */
async function decide(mirror: HubMirror, argument: unknown, decision: 'accept' | 'reject'): Promise<void> {
  const id = await approvalOf(mirror, argument);
  if (id === undefined) return;
  if (decision === 'reject') {
    await mirror.ask((hub) => hub.request('approve/reject', { id }));
    return;
  }
  const { approval } = await mirror.ask((hub) => hub.request('approve/show', { id }));
  const { key, machine, sha256 } = approval;
  if (approval.status !== 'waiting') throw new HubError('refused', `it was ${approval.status} already`);
  const accept = 'Accept';
  const what = sha256 === null ? 'be deleted on all machines' : 'be put into force on all machines';
  const pressed = await vscode.window.showWarningMessage(
    `Shall ${plainLine(key)} from ${plainLine(machine)} ${what}?`,
    { modal: true, detail: 'Claude Code runs it. Look at what would change first.' },
    accept,
  );
  if (pressed === accept) await mirror.ask((hub) => hub.request('approve/accept', { id, sha256 }));
}
