import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FaultyLink } from '../fixtures/ssh/faulty-link.ts';
import { processes } from '../fixtures/ssh/processes.ts';
import { signal, Sshd, type SshdOptions } from '../fixtures/ssh/sshd.ts';
import type { Home } from './home.ts';

/** How a machine behind SSH is to be. */
export interface SshMachineOptions {
  readonly home: Home;
  /** Folder of its own for keys and the like. Its path occurs in nothing that other machines run. */
  readonly folder: string;
  /** Added to its entry in the configuration. */
  readonly entry?: object;
  /** The hub reaches it at its own address: the link has no part in it. Default `false`. */
  readonly direct?: boolean;
  /** Its server; `folder`, and `home` where nothing else is said, are put in. */
  readonly sshd?: Omit<Partial<SshdOptions>, 'folder'>;
}

/** A machine that the hub reaches over SSH: a real sshd and, between it and the hub, a link that can fail. */
export class SshMachine {
  readonly home: Home;
  readonly sshd: Sshd;
  readonly link: FaultyLink;
  /** Its entry in the hub's configuration. */
  readonly entry: object;
  readonly #folder: string;
  readonly #stopped = new Set<number>();

  private constructor(options: SshMachineOptions, sshd: Sshd, link: FaultyLink, knownHostsFile: string) {
    this.home = options.home;
    this.#folder = options.folder;
    this.sshd = sshd;
    this.link = link;
    const behind = options.direct === true ? {} : { host: link.host, port: link.port, knownHostsFile };
    this.entry = { ...sshd.entry, ...behind, ...options.entry };
  }

  /** Resolves when its sshd listens and the link to it, too. Files in its home are the caller's. */
  static async start(options: SshMachineOptions): Promise<SshMachine> {
    const sshd = await Sshd.start({ home: options.home.path, ...options.sshd, folder: options.folder });
    const link = await FaultyLink.open({ to: { host: sshd.address, port: sshd.port } });
    const machine = new SshMachine(options, sshd, link, join(options.folder, 'known_hosts_of_link'));
    await machine.trustHostKey();
    return machine;
  }

  /** Writes the hub's known_hosts with the host key that the server has now: what a user does who accepts it. */
  async trustHostKey(): Promise<void> {
    await this.rememberHostKey(await readFile(join(this.#folder, 'host_ed25519.pub'), 'utf8'));
  }

  /** Writes the hub's known_hosts with a public key, whosever it is. */
  async rememberHostKey(key: string): Promise<void> {
    const [type, blob] = key.split(' ');
    const line = `[${this.link.host}]:${this.link.port} ${type} ${blob}\n`;
    await writeFile(join(this.#folder, 'known_hosts_of_link'), line, { mode: 0o600 });
  }

  /** Empties the hub's known_hosts: it never saw this machine. */
  async forgetHostKey(): Promise<void> {
    await writeFile(join(this.#folder, 'known_hosts_of_link'), '', { mode: 0o600 });
  }

  /** Lets in whoever has one of these keys from now on, nobody when there is none. @returns the text before. */
  async authorize(publicKeys: string): Promise<string> {
    const file = join(this.#folder, 'authorized_keys');
    const before = await readFile(file, 'utf8');
    await writeFile(file, publicKeys, { mode: 0o600 });
    return before;
  }

  /** Pids of the processes that serve SFTP there now. */
  async sftpServers(): Promise<number[]> {
    const sessions = await this.sshd.sessions();
    return (await processes())
      .filter(({ pid, command }) => sessions.includes(pid) && /sftp-server|internal-sftp/.test(command))
      .map(({ pid }) => pid);
  }

  /** Stops processes there in the middle of what they do (SIGSTOP), those that serve SFTP by default. @returns lets them go on. */
  async freeze(pids?: readonly number[]): Promise<() => void> {
    const frozen = pids ?? (await this.sftpServers());
    for (const pid of frozen) {
      this.#stopped.add(pid);
      signal(pid, 'SIGSTOP');
    }
    return () => {
      for (const pid of frozen) {
        this.#stopped.delete(pid);
        signal(pid, 'SIGCONT');
      }
    };
  }

  /** Ends everything of it that runs, stopped ones and watchers that lost their session too. */
  async close(): Promise<void> {
    await this.link.close();
    for (const pid of this.#stopped) signal(pid, 'SIGCONT', 'SIGKILL');
    await this.sshd.stop();
    const places = [this.#folder, this.home.path];
    for (const { pid, command } of await processes()) {
      if (places.some((place) => command.includes(`${place}/`) || command.endsWith(place))) signal(pid, 'SIGKILL');
    }
  }
}
