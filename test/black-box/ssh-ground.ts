import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachineStatus } from '../../src/protocol/status.ts';
import { whyNoSshd } from '../fixtures/ssh/availability.ts';
import { makeCommandFolder } from '../fixtures/ssh/command-folder.ts';
import { processes } from '../fixtures/ssh/processes.ts';
import type { Conversation } from './conversation.ts';
import { Ground, until } from './ground.ts';
import { Home } from './home.ts';
import { SshMachine, type SshMachineOptions } from './ssh-machine.ts';

/** Machines of the reference topology: a Linux box, a Mac, and a Windows laptop that serves nothing but SFTP. */
export type SpokeName = 'rog' | 'mac' | 'nelly';

/** Entry and server of a spoke, as far as they are not as usual, and how it is reached. */
export type Difference = Pick<SshMachineOptions, 'entry' | 'sshd' | 'direct'>;

/** How a ground with SSH machines is laid out. */
export interface SshGroundOptions {
  /** Default: all. The hub's own folder, `xps`, is always there. */
  readonly spokes?: readonly SpokeName[];
  /** What a spoke has other than usual. */
  readonly differences?: Readonly<Partial<Record<SpokeName, (home: Home) => Difference>>>;
  /** Added to the entry of `xps`. */
  readonly entries?: Readonly<Record<string, object>>;
  /** Other sections of the configuration. */
  readonly config?: object;
}

/** sshd wants a chroot that only root may write, from `/` on; the temporary folder is everybody's. */
const CHROOTS = '/var/lib';

/**
 * The reference topology: `xps`, a folder of this machine, with the hub; `rog`, Linux with inotifywait; `mac`, with fswatch alone;
 * `nelly`, Windows: SFTP and nothing else, drive letter and all. Each spoke is a real sshd behind a link of its own. The homes are
 * on this disk, so a test sees what lies there without asking the hub.
 */
export class SshGround {
  /** The hub, its configuration and its commands. */
  readonly hub: Ground;
  readonly #machines: ReadonlyMap<string, SshMachine>;
  readonly #folders: readonly string[];

  private constructor(hub: Ground, machines: ReadonlyMap<string, SshMachine>, folders: readonly string[]) {
    this.hub = hub;
    this.#machines = machines;
    this.#folders = folders;
  }

  /** @returns `null` where SSH machines can be made here, else why not, for the message of a test that is skipped. */
  static unavailable(): string | null {
    return whyNoSshd(['/usr/bin/inotifywait', '/usr/bin/fswatch', '/usr/bin/rsync']);
  }

  static async open(options: SshGroundOptions = {}): Promise<SshGround> {
    const root = await mkdtemp(join(tmpdir(), 'claude-sync-ssh-'));
    const chroot = await mkdtemp(join(CHROOTS, 'claude-sync-test-'));
    const spokes = options.spokes ?? ['rog', 'mac', 'nelly'];
    const machines = new Map<string, SshMachine>();
    try {
      for (const name of spokes) {
        const { entry, sshd, ...usual } = await usually(name, root, chroot);
        const other = options.differences?.[name]?.(usual.home);
        await usual.home.make();
        const machine = await SshMachine.start({
          ...usual,
          folder: join(root, name, 'sshd'),
          direct: other?.direct ?? false,
          entry: { ...entry, ...other?.entry },
          sshd: { ...sshd, ...other?.sshd },
        });
        machines.set(name, machine);
      }
      const hub = await Ground.open({
        machines: ['xps'],
        places: machines,
        ...(options.entries === undefined ? {} : { entries: options.entries }),
        ...(options.config === undefined ? {} : { config: options.config }),
      });
      return new SshGround(hub, machines, [root, chroot]);
    } catch (error) {
      await remove(machines, [root, chroot]);
      throw error;
    }
  }

  /** A spoke's server, link and home. */
  machine(name: SpokeName): SshMachine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`no SSH machine ${name}`);
    return machine;
  }

  home(name: SpokeName | 'xps'): Home {
    return this.hub.home(name);
  }

  /** Waits until a machine's `status` is as said. */
  async untilStatus(name: SpokeName, status: MachineStatus, deadlineMs: number): Promise<void> {
    await until(`${name} is ${status}`, async () => (await this.hub.report(name)).status === status, deadlineMs);
  }

  /**
   * How every story ends: all machines are back, nothing is pending, and each line of the conversations is on each machine once, in
   * equal bytes.
   */
  async assertCaughtUp(conversations: readonly Conversation[], deadlineMs = 60_000): Promise<void> {
    for (const name of this.#machines.keys()) await this.untilStatus(name as SpokeName, 'online', deadlineMs);
    const { settled, notWaitedFor } = await this.hub.settle(deadlineMs / 1_000);
    assert.deepEqual({ settled, notWaitedFor }, { settled: true, notWaitedFor: [] });
    for (const conversation of conversations) assert.equal(await conversation.trouble(this.hub.homes), null);
    // Not at once: what watchers and polls tell of thousands of the hub's own writes may come for a while, and is looked at once more.
    await until('it says that all is in sync', async () => (await this.hub.status()).inSync);
  }

  async close(): Promise<void> {
    await this.hub.close();
    await remove(this.#machines, this.#folders);
  }
}

type Usual = Omit<SshMachineOptions, 'folder'>;

async function usually(name: SpokeName, root: string, chroot: string): Promise<Usual> {
  const place = join(root, name);
  switch (name) {
    case 'rog':
      return { home: new Home(join(place, 'home', 'thh3')) };
    case 'mac': {
      const path = await makeCommandFolder(join(place, 'commands'), ['inotifywait', 'inotifywatch', 'sha256sum']);
      return { home: new Home(join(place, 'Users', 'tomerhamam')), entry: { os: 'macos' }, sshd: { path } };
    }
    case 'nelly': {
      const home = new Home(join(chroot, 'C:', 'Users', 'nelly'), 'C:\\Users\\nelly');
      await mkdir(home.path, { recursive: true });
      const entry = { os: 'windows', claudeDir: 'C:/Users/nelly/.claude' };
      return { home, entry, sshd: { kind: 'sftp-only', chroot, home: '/C:/Users/nelly' } };
    }
  }
}

async function remove(machines: ReadonlyMap<string, SshMachine>, folders: readonly string[]): Promise<void> {
  for (const machine of machines.values()) await machine.close();
  await until('nothing of the machines runs', async () => {
    const running = await processes();
    return !running.some(({ command }) => folders.some((folder) => command.includes(folder)));
  });
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
