import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import type { Conflict } from '../../protocol/conflicts.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { subjectOf } from '../subject.ts';
import { openSides } from './open-sides.ts';
import { conflictOf, conflictWith } from './pick-conflict.ts';
import { pickSide, twoSides } from './pick-side.ts';
import { sideUri } from './side-uri.ts';

/** Looking at conflicts and deciding them. */
export function conflictCommands(mirror: HubMirror): Command[] {
  return [
    {
      id: COMMANDS.openConflict,
      run: async (argument) => {
        const conflict = await conflictOf(mirror, argument, 'open');
        if (conflict !== undefined) await compare(conflict);
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
    { id: COMMANDS.keepLeft, run: () => keepShown(mirror, 'left') },
    { id: COMMANDS.keepRight, run: () => keepShown(mirror, 'right') },
  ];
}

/** Two sides beside each other; of more, the user picks the two. */
async function compare({ id, key, sides }: Conflict): Promise<void> {
  const chosen = await twoSides(sides, 'Compare');
  if (chosen === null) return;
  const [left, right] = chosen;
  const title = `${basename(key)}: ${left.machine} ↔ ${right.machine}`;
  const uris = chosen.map(({ machine }) => sideUri({ id, machine }, key));
  await vscode.commands.executeCommand('vscode.diff', ...uris, plainLine(title), { preview: true });
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

/** Keeps a side of the conflict that the active editor compares, and closes it. */
async function keepShown(mirror: HubMirror, which: 'left' | 'right'): Promise<void> {
  const shown = openSides();
  if (shown === null) throw new HubError('refused', 'the active editor compares no sides of a conflict');
  const { id, machine } = shown[which];
  await keep(mirror, await conflictWith(mirror, id), machine);
  await vscode.window.tabGroups.close(shown.tab);
}
