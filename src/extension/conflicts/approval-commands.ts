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

interface Desk {
  readonly mirror: HubMirror;
  readonly documents: Documents;
  /** Hash of what was shown last, by approval. */
  readonly seen: Map<number, string | null>;
}

/** Looking at what waits for approval, and deciding about it. */
export function approvalCommands(mirror: HubMirror, documents: Documents): Command[] {
  const desk = { mirror, documents, seen: new Map<number, string | null>() };
  return [
    { id: COMMANDS.showApproval, run: (argument) => showApproval(desk, argument) },
    { id: COMMANDS.acceptApproval, run: (argument) => decide(desk, argument, 'accept') },
    { id: COMMANDS.rejectApproval, run: (argument) => decide(desk, argument, 'reject') },
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

async function showApproval({ mirror, documents, seen }: Desk, argument: unknown): Promise<void> {
  const id = await approvalOf(mirror, argument);
  if (id === undefined) return;
  const { approval } = await mirror.ask((hub) => hub.request('approve/show', { id }));
  const { key, machine } = approval;
  seen.set(id, approval.sha256);
  await vscode.commands.executeCommand(
    'vscode.diff',
    documents.approval(approval, 'current'),
    documents.approval(approval, 'proposed'),
    plainLine(`${basename(key)}: now ↔ as ${machine} wants it`),
    { preview: true },
  );
}

/** Accepting puts something into force that is run, so it is asked, and holds for what the user saw alone. */
async function decide(desk: Desk, argument: unknown, decision: 'accept' | 'reject'): Promise<void> {
  const { mirror, seen } = desk;
  const id = await approvalOf(mirror, argument);
  if (id === undefined) return;
  if (decision === 'reject') {
    await mirror.ask((hub) => hub.request('approve/reject', { id }));
    return;
  }
  const { approval } = await mirror.ask((hub) => hub.request('approve/show', { id }));
  const { key, machine, sha256 } = approval;
  if (approval.status !== 'waiting') throw new HubError('refused', `it was ${approval.status} already`);
  if (seen.has(id) && seen.get(id) !== sha256)
    throw new HubError('refused', `${plainLine(key)} has changed since you looked at it`, {
      unchanged: 'Nothing of it is in force.',
      next: 'Look at it again.',
    });
  const [accept, show] = ['Accept', 'Show Changes'];
  const isSeen = seen.has(id);
  const what = sha256 === null ? 'be deleted on all machines' : 'be put into force on all machines';
  const pressed = await vscode.window.showWarningMessage(
    `Shall ${plainLine(key)} from ${plainLine(machine)} ${what}?`,
    { modal: true, detail: `Claude Code runs it.${isSeen ? '' : ' You have not looked at it yet.'}` },
    ...(isSeen ? [accept] : [show, accept]),
  );
  if (pressed === show) await showApproval(desk, { subject: { kind: 'approval', id } });
  if (pressed === accept) await mirror.ask((hub) => hub.request('approve/accept', { id, sha256 }));
}
