import { jsonOrNull } from '../json-or-null.ts';
import { HubError } from '../../protocol/errors.ts';
import { RemoteCommandFailure, type RemoteCommands } from '../ssh/remote-commands.ts';
import { quote } from '../ssh/shell-words.ts';

/** Where `claude-sync` may be: a command over SSH gets a bare PATH. */
const PLACES = '/opt/homebrew/bin:/usr/local/bin:/opt/local/bin:$HOME/.local/bin:$HOME/bin:$HOME/.npm-global/bin';
const MOST_BYTES = 4 * 1024 * 1024;
const WITHIN_MS = 180_000;

/** The machine of the hub, as a joining machine works with it: everything over one authenticated connection. */
export class HubThere {
  readonly #commands: RemoteCommands;
  readonly #program: string;
  readonly #name: string;

  /** @param program words of a shell that run `claude-sync` there. @param name of the hub's machine, for messages. */
  constructor(commands: RemoteCommands, program: string, name: string) {
    this.#commands = commands;
    this.#program = program;
    this.#name = name;
  }

  /** The data folder of the hub there. @throws {HubError} there is no `claude-sync`. */
  async dataDir(): Promise<string> {
    const { value } = await this.#ask(['where']);
    const dataDir = typeof value === 'object' && value !== null && 'dataDir' in value ? value.dataDir : null;
    if (typeof dataDir === 'string' && dataDir.startsWith('/')) return dataDir;
    throw new HubError('refused', `claude-sync on ${this.#name} does not say where its hub is`, {
      unchanged: 'Nothing was changed.',
      next: `Install the same version there as here, and check: ssh ${this.#name} ${this.#program} where`,
    });
  }

  /**
   * The public half of the key that the hub signs in to joined machines with, made when there is none.
   * @returns the key, and where its private half is there.
   */
  async ownKey(dataDir: string): Promise<{ readonly publicKey: string; readonly identityFile: string }> {
    const folder = `${dataDir}/joined`;
    const file = `${folder}/id_ed25519`;
    // Two machines may join at once: the first key that has the name is everybody's, and its public half is always its own.
    const stdout = await this.#run(
      [
        `umask 077; mkdir -p ${quote(folder)} || exit 1`,
        `file=${quote(file)}; new="$file.$$"`,
        `if [ ! -f "$file" ]; then ssh-keygen -q -t ed25519 -N '' -C claude-sync-hub -f "$new" >&2 </dev/null || exit 1`,
        `ln "$new" "$file" 2>/dev/null || [ -f "$file" ] || mv "$new" "$file"; rm -f "$new" "$new.pub"; fi`,
        `ssh-keygen -y -f "$file"`,
      ].join('; '),
    );
    const publicKey = stdout.trim();
    if (/^ssh-ed25519 [A-Za-z0-9+/=]+( [^\n]*)?$/.test(publicKey)) return { publicKey, identityFile: file };
    throw new HubError('refused', `${this.#name} has no usable key of its own in ${folder}`, {
      next: `Look at ${file} there; without it a new one is made.`,
    });
  }

  /** Writes the host keys of a machine into a file of its own there: several machines are 127.0.0.1 to the hub. @returns the file. */
  async writeHostKeys(dataDir: string, machine: string, port: number, keys: readonly string[]): Promise<string> {
    const file = `${dataDir}/joined/${machine}.known_hosts`;
    const lines = keys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join('');
    await this.#run(`umask 077; cat > ${quote(`${file}.new`)} && mv -f ${quote(`${file}.new`)} ${quote(file)}`, lines);
    return file;
  }

  /** Adds the machine to the hub's configuration. @returns whether it is new; `false`: there is one of that name. @throws {HubError} */
  async addMachine(machine: string, destination: string, options: readonly string[]): Promise<boolean> {
    const { code, error } = await this.#ask(['machines', 'add', machine, destination, ...options, '--yes'], [0, 1]);
    if (code === 0) return true;
    if (error?.code === 'refused' && /there is a machine ".*" already/.test(error.message)) return false;
    throw new HubError('refused', `adding ${machine} to the hub: ${error?.message ?? 'it failed'}`, {
      unchanged: 'The configuration of the hub was not changed.',
      next: error?.next ?? null,
    });
  }

  /** What does not work between the hub and a machine, with the fix; empty when everything does. @throws {HubError} */
  async troubleWith(machine: string): Promise<{ readonly message: string; readonly fix: string | null }[]> {
    const { value, error } = await this.#ask(['machines', 'test', machine], [0, 1]);
    if (error !== null) throw new HubError('refused', error.message, { next: error.next });
    const results = (
      value as { machines?: { steps: { outcome: string; message: string; fix: string | null }[] }[] } | null
    )?.machines;
    return (results ?? []).flatMap(({ steps }) => steps).filter(({ outcome }) => outcome === 'failed');
  }

  async #ask(
    words: readonly string[],
    codes: readonly number[] = [0],
  ): Promise<{ code: number; value: unknown; error: { code: string; message: string; next: string | null } | null }> {
    const line = `PATH="$PATH:${PLACES}"; ${this.#program} ${words.map(quote).join(' ')} --json`;
    const { code, stdout, stderr } = await this.#result(line);
    if (code === null || !codes.includes(code)) {
      const isMissing = code === 127;
      throw new HubError(
        'not-found',
        isMissing
          ? `there is no claude-sync on ${this.#name}`
          : `claude-sync ${words[0] ?? ''} on ${this.#name} ended with ${code ?? 'a signal'}: ${stderr.trim().slice(-300)}`,
        {
          unchanged: 'Nothing was changed.',
          next: isMissing ? 'Install it there, or say with --hub-command how it is called.' : null,
        },
      );
    }
    const failed = (jsonOrNull(stderr) as { error?: { code: string; message: string; next: string | null } } | null)
      ?.error;
    return { code, value: jsonOrNull(stdout), error: failed ?? null };
  }

  async #run(line: string, stdin = ''): Promise<string> {
    const { code, stdout, stderr } = await this.#result(line, stdin);
    if (code === 0) return stdout;
    throw new HubError(
      'io',
      `a command on ${this.#name} ended with ${code ?? 'a signal'}: ${stderr.trim().slice(-300)}`,
    );
  }

  async #result(line: string, stdin = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
    try {
      const { code, stdout, stderr } = await this.#commands.run(line, {
        ...{ stdin, maxBytes: MOST_BYTES, timeoutMs: WITHIN_MS },
      });
      return { code, stdout: stdout.toString('utf8'), stderr };
    } catch (error) {
      if (!(error instanceof RemoteCommandFailure)) throw error;
      throw new HubError('unreachable', `running a command on ${this.#name}: ${error.message}`, {
        next: 'The account there has to run commands: joining a hub takes a shell on its machine.',
        cause: error,
      });
    }
  }
}
