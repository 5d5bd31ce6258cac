import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import type { HubMirror } from '../client/hub-mirror.ts';
import { bytes } from '../client/figures.ts';
import type { Approval } from '../protocol/approve.ts';
import { decodeContent } from '../protocol/content.ts';
import { HubError } from '../protocol/errors.ts';
import type { Excerpt } from '../protocol/shared.ts';
import { readSideUri, type ConflictSideRef } from './conflicts/side-uri.ts';
import { DOCUMENT_SCHEME } from './contributions.ts';

/**
 * Documents that can only be read: sides of conflicts and approvals, which are asked of the hub when an editor shows them, and reports, which
 * live as long as the window.
 */
export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #mirror: HubMirror;
  readonly #reports = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly #registered: vscode.Disposable;
  readonly onDidChange = this.#changed.event;

  constructor(mirror: HubMirror) {
    this.#mirror = mirror;
    this.#registered = vscode.workspace.registerTextDocumentContentProvider(DOCUMENT_SCHEME, this);
  }

  /** What is in force now, or what would be. It stays the content that it was made for. */
  approval({ id, key, sha256 }: Approval, which: 'current' | 'proposed'): vscode.Uri {
    return this.#uri(`/approval/${id}/${which}/${sha256 ?? 'deleted'}/${basename(key)}`);
  }

  /** Sides of conflicts may have changed: those that are open are asked for again. */
  refreshSides(): void {
    for (const { uri } of vscode.workspace.textDocuments) if (readSideUri(uri) !== null) this.#changed.fire(uri);
  }

  /** Shows a text in an editor; the same name again shows the new text in the same one. */
  async showReport(name: string, text: string): Promise<void> {
    const uri = this.#uri(`/report/${name}`);
    this.#reports.set(uri.path, text);
    this.#changed.fire(uri);
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const side = readSideUri(uri);
    if (side !== null) return this.#sideText(side);
    const { path } = uri;
    const [, kind = '', first = '', which = '', hash = ''] = path.split('/');
    if (kind === 'report') return this.#reports.get(path) ?? 'This report is no longer there. Run its command again.\n';
    const id = Number(first);
    const shown = await this.#mirror.ask((hub) => hub.request('approve/show', { id }));
    if (which === 'current') return textOf(shown.current);
    if ((shown.approval.sha256 ?? 'deleted') !== hash)
      throw new HubError('refused', 'what waits for approval has changed; open it anew');
    return textOf(shown.proposed);
  }

  dispose(): void {
    this.#registered.dispose();
    this.#changed.dispose();
  }

  async #sideText({ id, machine }: ConflictSideRef): Promise<string> {
    const { contents } = await this.#mirror.ask((hub) => hub.request('conflicts/show', { id }));
    return textOf(contents.find((side) => side.machine === machine)?.content ?? null);
  }

  #uri(path: string): vscode.Uri {
    return vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path });
  }
}

/** A file that is not there is empty, as in the diffs of git. */
function textOf(content: Excerpt | null): string {
  if (content === null) return '';
  const shown =
    content.encoding === 'utf8' ? content.data : `(${bytes(decodeContent(content).length)} that are no text)\n`;
  return content.truncated ? `${shown}\n(cut off: the file has ${bytes(content.bytes)})\n` : shown;
}
