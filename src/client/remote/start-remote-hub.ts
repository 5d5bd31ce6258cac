import { RemoteCommandFailure, type RunResult } from '../../hub/ssh/remote-commands.ts';
import { quote } from '../../hub/ssh/shell-words.ts';
import { HubError } from '../../protocol/errors.ts';
import { plainText } from '../plain-text.ts';
import { runInLoginShell } from './login-shell.ts';
import { checkDataDir, type RemoteHubOptions } from './open-remote-hub.ts';
import { outcomeOf, type RemoteOutcome } from './outcome.ts';
import { signInThere } from './sign-in-there.ts';
import type { SshLink } from './ssh-link.ts';

/** `claude-sync up` waits 30 s for its hub, and begins with the start of a Node. */
const UP_MS = 60_000;
/** As a shell says it. */
const NOT_FOUND_EXIT = 127;
/** What `claude-sync` ends with when its configuration is at fault. */
const CONFIG_EXIT = 2;
/** Of what it printed, characters. */
const MOST_WORDS = 4000;

/**
 * Runs `claude-sync up` on another machine, in a login shell; the hub goes on when the connection ends. One that runs already is as good.
 * `value.output`: what it printed. Failures as of `openRemoteHub`, and `not-found` where that command is not in the PATH there, `config` or
 * `internal` with its own words, `timed-out` (it may still be starting).
 */
export function startRemoteHub(options: RemoteHubOptions): Promise<RemoteOutcome<{ readonly output: string }>> {
  const { dataDir, signal } = options;
  return outcomeOf(signal, async () => {
    checkDataDir(dataDir);
    const link = await signInThere(options);
    const giveUp = (): void => link.connection.close();
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      signal?.throwIfAborted();
      return { output: await up(link, dataDir) };
    } finally {
      signal?.removeEventListener('abort', giveUp);
      link.connection.close();
    }
  });
}

async function up(link: SshLink, dataDir: string | null): Promise<string> {
  const { server } = link;
  const words = dataDir === null ? '' : ` --data-dir ${quote(dataDir)}`;
  const script = `command -v claude-sync >/dev/null 2>&1 || exit ${NOT_FOUND_EXIT}; exec claude-sync up${words}`;
  const { code, stdout, stderr } = await run(link, script);
  const output = wordsOf(stdout.toString('utf8'));
  if (code === 0) return output;
  if (code === NOT_FOUND_EXIT)
    throw new HubError('not-found', `there is no claude-sync in the PATH of a login shell on ${server}`, {
      unchanged: 'Nothing was started.',
      next: 'Install it there, or start the hub on that machine itself.',
    });
  const said = wordsOf(stderr).replace(/^error: /, '') || output || `it ended with ${code ?? 'a signal'}`;
  throw new HubError(code === CONFIG_EXIT ? 'config' : 'internal', `starting the hub on ${server}: ${said}`, {
    next: `All that the hub printed is in its data folder there, logs/hub.out.`,
  });
}

async function run(link: SshLink, script: string): Promise<RunResult> {
  try {
    return await runInLoginShell(link, script, UP_MS);
  } catch (error) {
    if (!(error instanceof RemoteCommandFailure)) throw error;
    const code = error.code === 'timeout' ? 'timed-out' : 'unreachable';
    throw new HubError(code, `starting the hub on ${link.server}: ${plainText(error.message)}`, {
      unchanged: error.code === 'no-shell' ? 'Nothing was started.' : 'Whether it is starting is not known.',
      next: 'Start it on that machine itself: claude-sync up.',
      cause: error,
    });
  }
}

function wordsOf(text: string): string {
  return plainText(text).trim().slice(-MOST_WORDS);
}
