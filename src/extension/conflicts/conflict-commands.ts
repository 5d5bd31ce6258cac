import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { Conflict, ConflictSide } from '../../protocol/conflicts.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import type { Documents } from '../documents.ts';
import { localTime, pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';

/** Looking at conflicts and deciding them, and the same for what waits for approval. */
export function conflictCommands(mirror: HubMirror, documents: Documents): Command[] {
  return [
    {
      id: COMMANDS.openConflict,
      run: async (argument) => {
        const conflict = await conflictOf(mirror, argument, 'open');
        if (conflict !== undefined) await compare(documents, conflict);
      },
    },
    {
      id: COMMANDS.keepSide,
      run: async (argument) => {
        const side = subjectOf(argument, 'side');
        const conflict = await conflictOf(mirror, argument, 'open');
        if (conflict !== undefined) await keep(mirror, conflict, side?.machine);
      },
    },
    {
      id: COMMANDS.reverseConflict,
      run: async (argument) => {
        const conflict = await conflictOf(mirror, argument, 'resolved');
        if (conflict !== undefined) await keep(mirror, conflict);
      },
    },
    { id: COMMANDS.showApproval, run: (argument) => showApproval(mirror, documents, argument) },
    { id: COMMANDS.acceptApproval, run: (argument) => decide(mirror, argument, 'accept') },
    { id: COMMANDS.rejectApproval, run: (argument) => decide(mirror, argument, 'reject') },
  ];
}

/** The conflict of a row, or one that the user picks. */
async function conflictOf(
  mirror: HubMirror,
  argument: unknown,
  status: 'open' | 'resolved',
): Promise<Conflict | undefined> {
  const id = subjectOf(argument, 'conflict', 'side')?.id;
  if (id !== undefined) return (await mirror.ask((hub) => hub.request('conflicts/show', { id }))).conflict;
  const { conflicts } = await mirror.ask((hub) => hub.request('conflicts/list', { status }));
  if (conflicts.length === 0) {
    void vscode.window.showInformationMessage(
      `Claude Sync: there is no ${status === 'open' ? 'open' : 'decided'} conflict.`,
    );
    return undefined;
  }
  const items = conflicts.map((conflict) => ({
    label: pickText(conflict.key),
    description: pickText(conflict.sides.map(({ machine }) => machine).join(' ↔ ')),
    detail: `since ${localTime(conflict.at)}`,
    conflict,
  }));
  return (await vscode.window.showQuickPick(items, { title: 'Which conflict?', matchOnDescription: true }))?.conflict;
}

/** Two sides beside each other; of more, the user picks the two. */
async function compare(documents: Documents, { id, key, sides }: Conflict): Promise<void> {
  const [left, right] = sides.length > 2 ? await pickTwo(sides) : sides;
  if (left === undefined || right === undefined) return;
  const title = `${basename(key)}: ${left.machine} ↔ ${right.machine}`;
  const uris = [left, right].map(({ machine }) => documents.side(id, machine, key));
  await vscode.commands.executeCommand('vscode.diff', ...uris, plainLine(title), { preview: true });
}

async function pickTwo(sides: readonly ConflictSide[]): Promise<readonly ConflictSide[]> {
  const left = await pickSide(sides, 'Compare which side?');
  if (left === undefined) return [];
  const right = await pickSide(
    sides.filter((side) => side !== left),
    `Compare ${plainLine(left.machine)} with which one?`,
  );
  return right === undefined ? [] : [left, right];
}

async function pickSide(sides: readonly ConflictSide[], title: string): Promise<ConflictSide | undefined> {
  const items = sides.map((side) => ({
    label: pickText(side.machine),
    description: `${side.sha256 === null ? 'deleted there' : 'changed'} ${localTime(side.mtimeMs)}`,
    side,
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.side;
}

/** The other sides stay versions, so that nothing has to be asked twice: a decision can be reversed. */
async function keep(mirror: HubMirror, conflict: Conflict, machine?: string): Promise<void> {
  const { id, key, sides, status } = conflict;
  const name = plainLine(basename(key));
  const chosen =
    machine ?? (await pickSide(sides, `Which side of ${name} is to be in force on all machines?`))?.machine;
  if (chosen === undefined) return;
  await mirror.ask((hub) => hub.request('conflicts/resolve', { id, keep: chosen }));
  const done = status === 'open' ? 'decided' : 'decided anew';
  const words = `Claude Sync: the conflict about ${name} is ${done}: ${plainLine(chosen)} is in force. The other side is kept.`;
  void vscode.window.showInformationMessage(words);
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
