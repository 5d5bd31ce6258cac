import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import type { Conflict } from '../../protocol/conflicts.ts';
import { localTime, pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';

/** The conflict of a row, or one that the user picks. */
export async function conflictOf(
  mirror: HubMirror,
  argument: unknown,
  status: 'open' | 'resolved',
): Promise<Conflict | undefined> {
  const id = subjectOf(argument, 'conflict', 'side')?.id;
  if (id !== undefined) return conflictWith(mirror, id);
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

/** @throws {HubError} `not-found`. */
export async function conflictWith(mirror: HubMirror, id: number): Promise<Conflict> {
  return (await mirror.ask((hub) => hub.request('conflicts/show', { id }))).conflict;
}
