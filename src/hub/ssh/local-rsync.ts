import { execa } from 'execa';
import { parseRsyncVersion, type RsyncVersion } from './rsync-version.ts';

const WITHIN_MS = 5_000;

/** The rsync of this computer; `null` where there is none that says its version. */
export async function localRsync(): Promise<RsyncVersion | null> {
  const asked = await execa('rsync', ['--version'], { stdin: 'ignore', timeout: WITHIN_MS, reject: false });
  return asked.exitCode === 0 ? parseRsyncVersion(asked.stdout) : null;
}
