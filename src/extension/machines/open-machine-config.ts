import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import { plainLine } from '../../client/plain-text.ts';
import { placeOf } from '../../hub/config/parse.ts';
import { HubError } from '../../protocol/errors.ts';
import { openHubFile } from '../hub/open-hub-file.ts';

/** Opens the configuration of the hub where it speaks of a machine. @throws {HubError} `refused` where there is no file, or not here. */
export async function openMachineConfig(mirror: HubMirror, machine: string): Promise<void> {
  const { config } = await mirror.ask((hub) => hub.request('hub/where', {}));
  if (config === null)
    throw new HubError(
      'refused',
      `the hub has no configuration file yet, so nothing in it is about ${plainLine(machine)}`,
      {
        next: 'Adding a machine makes one.',
      },
    );
  const editor = await openHubFile(mirror, 'configuration', config);
  const { line, column } = placeOf(editor.document.getText(), ['machines', machine]);
  const at = editor.document.validatePosition(new vscode.Position(line - 1, column - 1));
  editor.selection = new vscode.Selection(at, at);
  editor.revealRange(new vscode.Range(at, at), vscode.TextEditorRevealType.InCenter);
}
