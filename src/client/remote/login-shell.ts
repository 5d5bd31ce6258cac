import { systemClock, systemRandom } from '../../hub/ports/system.ts';
import { SshFailure } from '../../hub/ssh/failures.ts';
import { createRemoteCommands, RemoteCommandFailure, type RunResult } from '../../hub/ssh/remote-commands.ts';
import { quote } from '../../hub/ssh/shell-words.ts';
import type { SshLink } from './ssh-link.ts';

const MOST_BYTES = 64 * 1024;

/**
 * Runs a script in a POSIX login shell of the machine (`sh -lc`): with the `PATH` and the folders that its start files set. What these print
 * is left out.
 *
 * The script's output is moved to its own places before anything runs, and the spare ones are closed: a hub that it starts must not keep
 * the channel open.
 * @throws as `RemoteCommands.run`.
 */
export function runInLoginShell(link: SshLink, script: string, timeoutMs: number): Promise<RunResult> {
  const commands = createRemoteCommands(link.connection, { clock: systemClock, random: systemRandom });
  const inner = `exec >&3 2>&4 3>&- 4>&-; ${script}`;
  const line = `exec 3>&1 4>&2 >/dev/null 2>&1 </dev/null; exec sh -lc ${quote(inner)}`;
  return commands.run(line, { maxBytes: MOST_BYTES, timeoutMs });
}

/** Whether a command failed because the machine runs none for this account, or none that ends. */
export function isWithoutShell(error: unknown): boolean {
  return error instanceof RemoteCommandFailure || SshFailure.is(error, 'no-exec');
}
