import { homedir, tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { hubPaths, type HubPaths } from '../../hub/config/paths.ts';
import { SECTION, SETTINGS } from '../contributions.ts';

/** Where the hub of this window keeps things. Read anew each time: a changed setting takes effect with the next connection. */
export function places(): HubPaths {
  const named = vscode.workspace.getConfiguration(SECTION).get<string>(SETTINGS.dataDir, '');
  const { env, platform } = process;
  const uid = String(process.getuid?.() ?? '');
  const dataDir = named === '' ? undefined : named;
  return hubPaths({ env, platform, home: homedir(), tmp: tmpdir(), uid, cwd: homedir(), dataDir });
}
