import * as vscode from 'vscode';
import { readSideUri, type ConflictSideRef } from './side-uri.ts';

/** The two sides of a conflict that the active editor compares. */
export interface OpenSides {
  readonly left: ConflictSideRef;
  readonly right: ConflictSideRef;
  readonly tab: vscode.Tab;
}

/** `null` where the active editor compares something else. */
export function openSides(): OpenSides | null {
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  if (!(tab?.input instanceof vscode.TabInputTextDiff)) return null;
  const [left, right] = [readSideUri(tab.input.original), readSideUri(tab.input.modified)];
  return left === null || right === null ? null : { left, right, tab };
}
