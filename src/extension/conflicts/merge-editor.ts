import { basename } from 'node:path';
import * as vscode from 'vscode';
import { bytes } from '../../client/figures.ts';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { firstMarker, mergeDraft } from '../../core/document/merge-draft.ts';
import type { Conflict, ConflictSide, ConflictsShowResult } from '../../protocol/conflicts.ts';
import { encodeContent } from '../../protocol/content.ts';
import { HubError } from '../../protocol/errors.ts';
import { CONTENT_LIMIT_BYTES } from '../../protocol/shared.ts';
import type { Command } from '../command.ts';
import { COMMANDS, CONTEXT_KEYS } from '../contributions.ts';
import { subjectOf } from '../subject.ts';
import { markOf, MergeFiles, type MergeFile } from './merge-file.ts';
import { openSides } from './open-sides.ts';
import { conflictOf, conflictWith } from './pick-conflict.ts';
import { twoSides } from './pick-side.ts';

/** Merging a conflict by hand, in an editor of its own with the markers that VS Code has actions for. */
export class MergeEditor implements vscode.Disposable {
  readonly #mirror: HubMirror;
  readonly #files: MergeFiles;
  readonly #listening: vscode.Disposable;

  /** @param storage folder of the extension, on this computer. */
  constructor(mirror: HubMirror, storage: vscode.Uri) {
    this.#mirror = mirror;
    this.#files = new MergeFiles(vscode.Uri.joinPath(storage, 'merges').fsPath);
    this.#listening = vscode.window.onDidChangeActiveTextEditor(() => this.#tellContext());
    this.#tellContext();
  }

  get commands(): Command[] {
    return [
      {
        id: COMMANDS.mergeConflict,
        run: async (argument) => {
          const shown = openSides();
          const conflict =
            subjectOf(argument, 'conflict') === null && shown !== null
              ? await conflictWith(this.#mirror, shown.left.id)
              : await conflictOf(this.#mirror, argument, 'open');
          if (conflict !== undefined) await this.#begin(conflict);
        },
      },
      { id: COMMANDS.acceptMerge, run: () => this.#accept() },
    ];
  }

  dispose(): void {
    this.#listening.dispose();
  }

  async #begin({ id, key, sides, status }: Conflict): Promise<void> {
    if (status !== 'open')
      throw new HubError('refused', 'this conflict is decided already', {
        unchanged: 'It stays as it was decided.',
        next: 'It can be decided anew by keeping one of its sides.',
      });
    const chosen = await twoSides(sides, 'Merge');
    if (chosen === null) return;
    const shown = await this.#mirror.ask((hub) => hub.request('conflicts/show', { id }));
    const { conflicts } = await this.#mirror.ask((hub) => hub.request('conflicts/list', {}));
    await this.#files.tidy(new Set(conflicts.map((open) => open.id)));
    const [left, right] = chosen.map((side) => ({ name: side.machine, text: textOf(shown, side) }));
    if (left === undefined || right === undefined) return;
    const base = shown.base?.encoding === 'utf8' && !shown.base.truncated ? shown.base.data : null;
    const { text, places } = mergeDraft(base, left, right);
    const { path } = await this.#files.open({ id, key, sides: chosen, text });
    await vscode.window.showTextDocument(vscode.Uri.file(path), { preview: false });
    const others = sides.length > 2 ? ' What the other machines have is kept as versions.' : '';
    const words =
      places === 0
        ? 'both sides go together; look it over, then put it into force with the check mark above the editor.'
        : `finish ${places === 1 ? 'the marked place' : `the ${places} marked places`}, then put it into force with the check mark above the editor.`;
    void vscode.window.showInformationMessage(`Claude Sync: ${words}${others}`);
  }

  async #accept(): Promise<void> {
    const { activeTextEditor: editor } = vscode.window;
    const file = editor === undefined ? null : this.#files.of(editor.document.uri.fsPath);
    if (editor === undefined || file === null)
      throw new HubError('refused', 'the active editor is no conflict that is being merged');
    const { document } = editor;
    const names = await this.#stillOpen(file);
    const line = firstMarker(document.getText(), names);
    if (line !== null) {
      const at = new vscode.Range(line - 1, 0, line - 1, 0);
      editor.revealRange(at, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      editor.selection = new vscode.Selection(at.start, at.start);
      throw new HubError('refused', `a place is not merged yet: there is a marker in line ${line}`, {
        unchanged: 'The conflict is as it was.',
        next: 'Keep one of both texts there, or write a third, and take the markers away.',
      });
    }
    if (!(await document.save())) throw new HubError('io', `${file.path} cannot be saved`);
    await this.#resolve(file);
    // Its tab first: an editor whose file is gone would offer to write it anew.
    await vscode.window.tabGroups.close(tabsOf(document.uri));
    await this.#files.remove(file);
    const words = `the conflict about ${plainLine(basename(file.path))} is decided: what you merged is in force on all machines.`;
    void vscode.window.showInformationMessage(`Claude Sync: ${words}`);
  }

  /** @returns names of its machines. @throws {HubError} `refused` where the conflict is not the one any more that the user merged. */
  async #stillOpen({ id, marks }: MergeFile): Promise<string[]> {
    const { status, sides } = await conflictWith(this.#mirror, id);
    const now = new Set(sides.map(markOf));
    if (status === 'open' && marks.every((mark) => now.has(mark))) return sides.map(({ machine }) => machine);
    const why = status === 'open' ? 'one of its sides has changed' : 'it was decided';
    throw new HubError('refused', `the conflict is not the one that you merged: meanwhile ${why}`, {
      unchanged: 'What you merged is in this editor only.',
      next: 'Open the conflict again, and take over from here what you need.',
    });
  }

  async #resolve(file: MergeFile): Promise<void> {
    const content = await this.#files.read(file);
    if (content.length > CONTENT_LIMIT_BYTES)
      throw new HubError('refused', `the merged text is larger than ${bytes(CONTENT_LIMIT_BYTES)}`, {
        unchanged: 'The conflict is as it was.',
        next: 'Keep one side of it instead.',
      });
    const merged = encodeContent(content);
    await this.#mirror.ask((hub) => hub.request('conflicts/resolve', { id: file.id, merged }));
  }

  #tellContext(): void {
    const path = vscode.window.activeTextEditor?.document.uri.fsPath;
    const isMerging = path !== undefined && this.#files.of(path) !== null;
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.isMerging, isMerging);
  }
}

function tabsOf(uri: vscode.Uri): vscode.Tab[] {
  const all = vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs);
  return all.filter(({ input }) => input instanceof vscode.TabInputText && input.uri.toString() === uri.toString());
}

/** @throws {HubError} `refused` for what cannot be merged as text. */
function textOf({ contents }: ConflictsShowResult, { machine }: ConflictSide): string {
  const content = contents.find((side) => side.machine === machine)?.content ?? null;
  // Deleted there: all of it is what the other side has.
  if (content === null) return '';
  if (content.encoding === 'utf8' && !content.truncated) return content.data;
  const what = content.truncated ? `is too large (${bytes(content.bytes)})` : 'is no text';
  throw new HubError('refused', `what ${plainLine(machine)} has ${what}, so it cannot be merged by hand`, {
    unchanged: 'The conflict is as it was.',
    next: 'Keep one of its sides.',
  });
}
