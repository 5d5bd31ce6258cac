import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SshdOptions } from '../fixtures/ssh/sshd.ts';
import { Ground } from './ground.ts';
import { Home } from './home.ts';
import { SshMachine } from './ssh-machine.ts';

/** A hub with a folder of its own (`xps`), and a machine behind a real sshd that its configuration does not name yet. */
export class NewMachine {
  readonly ground: Ground;
  readonly machine: SshMachine;
  readonly #root: string;

  private constructor(root: string, ground: Ground, machine: SshMachine) {
    this.#root = root;
    this.ground = ground;
    this.machine = machine;
  }

  /** @param sshd what its server has other than usual. */
  static async open(sshd: Omit<Partial<SshdOptions>, 'folder'> = {}): Promise<NewMachine> {
    const root = await mkdtemp(join(tmpdir(), 'claude-sync-new-'));
    const home = new Home(join(root, 'home', 'thh3'));
    await mkdir(home.path, { recursive: true });
    const machine = await SshMachine.start({ home, folder: join(root, 'sshd'), sshd });
    return new NewMachine(root, await Ground.open({ machines: ['xps'] }), machine);
  }

  get home(): Home {
    return this.machine.home;
  }

  /** `rog`, where it is, and how to sign in. */
  get place(): string[] {
    const { link, sshd } = this.machine;
    return ['rog', `root@${link.host}:${link.port}`, '--identity', sshd.identityFile, '--known-hosts', this.knownHosts];
  }

  /** The hub's file of known host keys. */
  get knownHosts(): string {
    return join(this.#root, 'sshd', 'known_hosts_of_link');
  }

  /** Makes its Claude folder, with a conversation of the project. */
  async fill(session: string, lines: readonly string[]): Promise<void> {
    await this.home.make();
    await this.home.append(this.home.sessionPath(session), ...lines);
  }

  /** Writes its settings.json. */
  async settings(text: string): Promise<void> {
    await writeFile(this.home.file('settings.json'), text, { mode: 0o600 });
  }

  async close(): Promise<void> {
    await this.ground.close();
    await this.machine.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}
