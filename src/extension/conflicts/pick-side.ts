import * as vscode from 'vscode';
import { plainLine } from '../../client/plain-text.ts';
import type { ConflictSide } from '../../protocol/conflicts.ts';
import { localTime, pickText } from '../figures.ts';

/** Lets the user choose a side. */
export async function pickSide(sides: readonly ConflictSide[], title: string): Promise<ConflictSide | undefined> {
  const items = sides.map((side) => ({
    label: pickText(side.machine),
    description: `${side.sha256 === null ? 'deleted there' : 'changed'} ${localTime(side.mtimeMs)}`,
    side,
  }));
  return (await vscode.window.showQuickPick(items, { title }))?.side;
}

/** The two sides of a conflict; of more, the two that the user chooses. `null`: the user chose none. @param verb as in "Compare which side?". */
export async function twoSides(
  sides: readonly ConflictSide[],
  verb: 'Compare' | 'Merge',
): Promise<readonly [ConflictSide, ConflictSide] | null> {
  const [first, second, ...more] = sides;
  if (first === undefined || second === undefined) return null;
  if (more.length === 0) return [first, second];
  const left = await pickSide(sides, `${verb} which side?`);
  if (left === undefined) return null;
  const others = sides.filter((side) => side !== left);
  const right = await pickSide(others, `${verb} ${plainLine(left.machine)} with which one?`);
  return right === undefined ? null : [left, right];
}
