import { basename } from 'node:path/posix';
import * as vscode from 'vscode';
import { DOCUMENT_SCHEME } from '../contributions.ts';

/** One machine's side of a conflict. */
export interface ConflictSideRef {
  readonly id: number;
  readonly machine: string;
}

/** The document that shows a side. The name at the end gives the editor its language; package.json looks for `/conflict/` at the start. */
export function sideUri({ id, machine }: ConflictSideRef, key: string): vscode.Uri {
  const path = `/conflict/${id}/${encodeURIComponent(machine)}/${basename(key)}`;
  return vscode.Uri.from({ scheme: DOCUMENT_SCHEME, path });
}

/** Which side a document shows; `null` for any other document. */
export function readSideUri({ scheme, path }: vscode.Uri): ConflictSideRef | null {
  const [, id, machine] = /^\/conflict\/(\d+)\/([^/]+)\//.exec(path) ?? [];
  if (scheme !== DOCUMENT_SCHEME || id === undefined || machine === undefined) return null;
  return { id: Number(id), machine: decodeURIComponent(machine) };
}
