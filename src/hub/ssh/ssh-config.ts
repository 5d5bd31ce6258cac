import { execa } from 'execa';
import { SshFailure, serverText } from './failures.ts';

const ASK_TIMEOUT_MS = 10_000;

/** What `ssh` is asked about. */
export interface SshQuestion {
  /** As a user would write it behind `ssh`: an alias, a name, an address. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** Instead of ~/.ssh/config and the one of the system. */
  readonly configFile?: string | undefined;
  /** `PATH` finds ssh; `Match exec` commands of the user's ssh_config get all of it. */
  readonly env: NodeJS.ProcessEnv;
}

/** What ssh would use: values by lower-case keyword, in the order of ssh. */
export class SshAnswer {
  readonly #values = new Map<string, string[]>();

  /** @param printed what `ssh -G` printed: a keyword, a space and a value a line. */
  constructor(printed: string) {
    for (const line of printed.split(/\r?\n/)) {
      const space = line.indexOf(' ');
      if (space === -1) continue;
      const keyword = line.slice(0, space).toLowerCase();
      this.#values.set(keyword, [...this.all(keyword), line.slice(space + 1).trim()]);
    }
  }

  /** All values of a keyword that may be given several times. `none` is one of them. */
  all(keyword: string): readonly string[] {
    return this.#values.get(keyword) ?? [];
  }

  /** The value of a keyword; `null` for none, also when ssh says so with the word `none`. */
  one(keyword: string): string | null {
    const [value] = this.all(keyword);
    return value === undefined || value === 'none' || value === '' ? null : value;
  }

  /** The paths of a keyword that takes several. ssh prints them without their quotes: what does not begin a path belongs to the one before. */
  paths(keyword: string): string[] {
    const paths: string[] = [];
    for (const word of (this.one(keyword) ?? '').split(' ')) {
      if (word === '') continue;
      if (paths.length === 0 || /^([/~%]|\$\{|[A-Za-z]:[/\\])/.test(word)) paths.push(word);
      else paths.push(`${paths.pop()} ${word}`);
    }
    return paths.filter((path) => path !== 'none');
  }
}

/**
 * Asks ssh itself (`ssh -G`) what its configuration says of a host, so that aliases, patterns, `Match` and `Include` mean what they
 * mean to the user's own ssh.
 *
 * @returns `null` where there is no ssh.
 * @throws SshFailure `settings` when ssh does not accept the host or its configuration.
 */
export async function askSsh(question: SshQuestion): Promise<SshAnswer | null> {
  const { host, port, user, configFile, env } = question;
  const asked = await execa(
    'ssh',
    [
      ...(configFile === undefined ? [] : ['-F', configFile]),
      ...(port === undefined ? [] : ['-p', String(port)]),
      ...(user === undefined ? [] : ['-l', user]),
      ...['-G', '--', host],
    ],
    { stdin: 'ignore', timeout: ASK_TIMEOUT_MS, reject: false, env, extendEnv: false },
  );
  if (asked.code === 'ENOENT') return null;
  if (asked.exitCode === 0) return new SshAnswer(asked.stdout);
  const said = serverText(complaints(asked.stderr) || asked.shortMessage || 'it failed');
  throw new SshFailure('settings', `asking ssh for its settings of ${host} (ssh -G): ${said}`, {
    next: `Correct the host of this machine in the configuration, or your ssh_config, until this works: ssh -G ${host}`,
  });
}

/** Without the remark that there is no terminal: there never is one. */
function complaints(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => !line.startsWith('Pseudo-terminal will not'))
    .join('\n')
    .trim();
}

/** `%h`, `%p` and the like with their values; an unknown one stays as it is. */
export function expandTokens(text: string, tokens: Readonly<Record<string, string>>): string {
  return text.replace(/%(.)/g, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)));
}
