import { homedir, tmpdir } from 'node:os';
import { hubPaths, type HubPaths } from '../../hub/config/paths.ts';
import { SETTINGS } from '../contributions.ts';
import { textSetting } from '../settings.ts';

/** Where a hub of this computer keeps things. Read anew each time: a changed setting takes effect with the next connection. */
export function places(): HubPaths {
  const named = textSetting(SETTINGS.hubDataDir);
  const { env, platform } = process;
  const uid = String(process.getuid?.() ?? '');
  const dataDir = named === '' ? undefined : named;
  return hubPaths({ env, platform, home: homedir(), tmp: tmpdir(), uid, cwd: homedir(), dataDir });
}
