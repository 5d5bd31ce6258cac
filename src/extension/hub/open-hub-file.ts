import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { HubError } from '../../protocol/errors.ts';
import { SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';

/**
 * Opens a file of the hub in an editor; one that is not there yet, to be filled and saved.
 * @param what `log` or `configuration`, for messages. @throws {HubError} `refused` where it lies on another machine.
 */
export async function openHubFile(mirror: HubMirror, what: string, path: string): Promise<vscode.TextEditor> {
  const elsewhere = mirror.elsewhere ?? (textSetting(SETTINGS.hubHost) || null);
  if (elsewhere !== null)
    throw new HubError('refused', `the ${what} of the hub lies on ${plainLine(elsewhere)}`, {
      next: `Open a window on that machine (Remote - SSH), and this command there.`,
    });
  const uri = vscode.Uri.file(path);
  try {
    await vscode.workspace.fs.stat(uri);
  } catch (error) {
    if (!(error instanceof vscode.FileSystemError) || error.code !== 'FileNotFound') throw error;
    return vscode.window.showTextDocument(uri.with({ scheme: 'untitled' }));
  }
  return vscode.window.showTextDocument(uri, { preview: true });
}
