import { FileSystemError, type FileSystem } from '../../hub/ports/file-system.ts';
import { serverText } from '../../hub/ssh/failures.ts';
import type { HubFile } from '../../hub/rpc/hub-file.ts';
import { HubError } from '../../protocol/errors.ts';
import { isWithoutShell, runInLoginShell } from './login-shell.ts';
import type { SshLink } from './ssh-link.ts';

/** RFC 4254 section 5.1. */
const PROHIBITED = 1;
const UNKNOWN_CHANNEL = 3;
const LOOK_MS = 10_000;
const UNCHANGED = 'Nothing was changed, here or there.';

/** There is no hub on that machine. */
export function noHubThere(server: string, looked: readonly string[]): HubError {
  return new HubError('not-running', `no hub is running on ${server} (looked for hub.json in ${looked.join(', ')})`, {
    unchanged: UNCHANGED,
    next: 'Start it there with claude-sync up, or name its data folder.',
  });
}

/**
 * Why nobody answered at the socket that a hub.json names. OpenSSH says the same (`open failed`, reason 2) of a socket that is not there,
 * one that nobody listens on, and forwarding that it forbids: so it is looked whether the socket is there and the hub lives.
 * A process that has got the pid of a dead hub is taken for it; the message says so.
 * @param error of ssh2.
 * @returns `not-running` for a hub.json that outlived its hub, `refused` where sshd is in the way.
 */
export async function whyNoAnswer(link: SshLink, files: FileSystem, hub: HubFile, error: unknown): Promise<HubError> {
  const { server } = link;
  const reason = error instanceof Error ? (error as { reason?: unknown }).reason : undefined;
  const said = serverText(error instanceof Error ? error.message : String(error));
  if (reason === PROHIBITED || reason === UNKNOWN_CHANNEL) return forbidden(server, hub, said, error);
  const isThere = await socketThere(files, hub.socket);
  const isAlive = isThere === false ? false : await processThere(link, files, hub.pid);
  if (isAlive === true) return forbidden(server, hub, said, error);
  const unsure = isAlive === null;
  return new HubError(
    'not-running',
    `the hub.json in ${serverText(hub.dataDir)} on ${server} names the socket ${serverText(hub.socket)}, and nobody answers there`,
    {
      unchanged: UNCHANGED,
      next: unsure
        ? 'Start the hub there with claude-sync up. If it runs: its sshd_config needs AllowStreamLocalForwarding yes.'
        : 'That hub has ended. Start it there with claude-sync up.',
      cause: error,
    },
  );
}

function forbidden(server: string, hub: HubFile, said: string, cause: unknown): HubError {
  return new HubError(
    'refused',
    `${server} does not lead to the socket of its hub, ${serverText(hub.socket)} (pid ${hub.pid}): ${said}`,
    {
      unchanged: UNCHANGED,
      next:
        'Allow it in the sshd_config there: AllowStreamLocalForwarding yes, and no DisableForwarding; the line of your key in authorized_keys ' +
        'must not forbid port-forwarding (restrict). The socket has to be of the user you sign in as. If that hub has just been killed: claude-sync up.',
      cause,
    },
  );
}

/** `null`: it cannot be looked at. */
async function socketThere(files: FileSystem, socket: string): Promise<boolean | null> {
  try {
    return (await files.lstat(socket.slice(1))) !== null;
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
}

/** Whether the process of a hub lives; `null` where neither a shell nor /proc tells. */
async function processThere(link: SshLink, files: FileSystem, pid: number): Promise<boolean | null> {
  try {
    // A process of another user refuses even signal 0; ps and /proc still show it.
    const look = `if kill -0 ${pid} || ps -p ${pid} || test -d /proc/${pid}; then r=alive; else r=gone; fi >/dev/null 2>&1; echo "$r"`;
    const { stdout } = await runInLoginShell(link, look, LOOK_MS);
    const word = stdout.toString('utf8').trim();
    if (word === 'alive' || word === 'gone') return word === 'alive';
  } catch (error) {
    if (!isWithoutShell(error)) throw error;
  }
  try {
    if ((await files.lstat('proc/1')) === null) return null;
    return (await files.lstat(`proc/${pid}`)) !== null;
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
}
