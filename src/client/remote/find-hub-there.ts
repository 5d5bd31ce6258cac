import { posix } from 'node:path';
import { expandHome } from '../../hub/config/expand-home.ts';
import { hubPaths } from '../../hub/config/paths.ts';
import { jsonOrNull } from '../../hub/json-or-null.ts';
import { FileSystemError, type FileSystem } from '../../hub/ports/file-system.ts';
import { HubFileSchema, hubFilePath, type HubFile } from '../../hub/rpc/hub-file.ts';
import { isWithoutShell, runInLoginShell } from './login-shell.ts';
import type { SshLink } from './ssh-link.ts';

/** Data folder of a hub that is a service of the system. */
const SYSTEM_DATA_DIR = '/var/lib/claude-sync';
/** A start file that takes longer waits for somebody, ms. */
const ASK_MS = 10_000;
/** Of a file that says a few words. */
const MOST_BYTES = 64 * 1024;

/**
 * The data folders that the hub of a machine may have, the likeliest first: the named one alone, else the one that `claude-sync` there would
 * use, the usual one, and that of a service of the system.
 *
 * What `claude-sync where` would say is worked out here, from the two variables that it would read: one short command instead of the
 * start of a Node (a second on a small machine), and it also holds where `claude-sync` is not in the PATH. It has to be asked before the
 * usual folder is looked at: a hub.json there may be of another hub, or one that is long gone. A hub that was started without these
 * variables (by systemd) is found by what follows.
 * @param home folder that SFTP begins in there, absolute.
 */
export async function dataDirsThere(link: SshLink, home: string, named: string | null): Promise<string[]> {
  const place = (env: Readonly<Record<string, string>>, dataDir?: string): string =>
    hubPaths({ env, platform: 'linux', home, tmp: '/tmp', uid: '', cwd: home, dataDir }).dataDir;
  if (named !== null) return [posix.resolve(home, expandHome(named, home))];
  return [...new Set([place(await variablesThere(link)), place({}), SYSTEM_DATA_DIR])];
}

/** `{}` where no shell answers. */
async function variablesThere(link: SshLink): Promise<Record<string, string>> {
  try {
    const script = `printf '%s\\0%s\\0' "$CLAUDE_SYNC_DATA_DIR" "$XDG_STATE_HOME"`;
    const { stdout } = await runInLoginShell(link, script, ASK_MS);
    const [dataDir = '', state = ''] = stdout.toString('utf8').split('\0');
    return { CLAUDE_SYNC_DATA_DIR: dataDir, XDG_STATE_HOME: state };
  } catch (error) {
    // Where it is the connection that ended, the next request says so.
    if (isWithoutShell(error)) return {};
    throw error;
  }
}

/** What the hub of a data folder wrote; `null` where there is no such file, or none of ours. */
export async function readHubFileThere(files: FileSystem, dataDir: string): Promise<HubFile | null> {
  let bytes: Buffer;
  try {
    const file = await files.open(hubFilePath(dataDir).slice(1), 'read');
    try {
      bytes = await file.read(0, MOST_BYTES);
    } finally {
      await file.close();
    }
  } catch (error) {
    // Of another user, a folder, or not there: this one is not ours to use. The next place may be.
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
  const parsed = HubFileSchema.safeParse(jsonOrNull(bytes.toString('utf8')));
  return parsed.success ? parsed.data : null;
}
