import * as vscode from 'vscode';
import { SECTION, SETTINGS, type Setting } from './contributions.ts';

/** Whether a hub is started without having been asked for. */
export type AutoStart = 'ask' | 'always' | 'never';

/** Text of a setting, without the spaces around it. '' where the user set none. */
export function textSetting(setting: Setting): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>(setting, '').trim();
}

/** Whether something is switched on. */
export function isOn(setting: Setting): boolean {
  return vscode.workspace.getConfiguration(SECTION).get<boolean>(setting, true);
}

/** What the user wants to happen where no hub runs. */
export function autoStart(): AutoStart {
  return vscode.workspace.getConfiguration(SECTION).get<AutoStart>(SETTINGS.hubAutoStart, 'ask');
}

/** Remembers a choice in the settings of the user, or of the machine that this runs on, as the setting's scope says. */
export async function remember(setting: Setting, value: string | boolean): Promise<void> {
  await vscode.workspace.getConfiguration(SECTION).update(setting, value, vscode.ConfigurationTarget.Global);
}

/** Calls `listener` when one of these settings was changed. */
export function onSettingChange(settings: readonly Setting[], listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((change) => {
    if (settings.some((setting) => change.affectsConfiguration(`${SECTION}.${setting}`))) listener();
  });
}
