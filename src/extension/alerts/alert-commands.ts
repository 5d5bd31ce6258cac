import * as vscode from 'vscode';
import type { HubMirror } from '../../client/hub-mirror.ts';
import type { Command } from '../command.ts';
import { COMMANDS } from '../contributions.ts';
import { pickText } from '../figures.ts';
import { subjectOf } from '../subject.ts';

/** Dismissing alerts, and copying what a row says, such as the next step. */
export function alertCommands(mirror: HubMirror): Command[] {
  return [
    {
      id: COMMANDS.dismissAlert,
      run: async (argument) => {
        const id = subjectOf(argument, 'alert')?.id ?? (await pickAlert(mirror));
        if (id !== undefined) await mirror.ask((hub) => hub.request('alerts/dismiss', { id }));
      },
    },
    {
      id: COMMANDS.copyText,
      run: async (argument) => {
        const text = subjectOf(argument, 'text')?.text;
        if (text !== undefined) await vscode.env.clipboard.writeText(text);
      },
    },
  ];
}

async function pickAlert(mirror: HubMirror): Promise<string | undefined> {
  const { alerts } = await mirror.ask((hub) => hub.request('alerts/list', {}));
  if (alerts.length === 0) {
    void vscode.window.showInformationMessage('Claude Sync: there is no alert.');
    return undefined;
  }
  const items = alerts.map(({ id, message, machine, severity }) => ({
    label: pickText(message),
    description: [severity, ...(machine === null ? [] : [pickText(machine)])].join(', '),
    id,
  }));
  return (await vscode.window.showQuickPick(items, { title: 'Dismiss which alert?' }))?.id;
}
