import { join } from 'node:path';
import { Home } from '../../test/black-box/home.ts';
import { SshMachine } from '../../test/black-box/ssh-machine.ts';
import { whyNoSshd } from '../../test/fixtures/ssh/availability.ts';
import { Network } from '../../test/fixtures/ssh/network.ts';
import { HubProcess } from '../hub-process.ts';

/** Port of the servers that have an address of their own. */
const OWN_PORT = 2222;

/** How a hub with machines over SSH is laid out. */
export interface SshGroundOptions {
  /** Folder of its own. */
  readonly folder: string;
  readonly program: readonly string[];
  /** Machines behind an sshd each. */
  readonly ssh: readonly string[];
  /** Folders of the hub's own machine. They come after the others in `hub.machines`. */
  readonly local?: readonly string[];
  /** Added to the entries of machines over SSH. */
  readonly entries?: Readonly<Record<string, object>>;
  /**
   * `direct`: over loopback. `delayed`: through a proxy on loopback that takes `latencyMs` one way. `counted`: bytes are counted, at
   * best on a cable of each machine's own.
   */
  readonly reach?: 'direct' | 'delayed' | 'counted';
  readonly latencyMs?: number;
}

/** @returns `null` where machines over SSH can be made, else why not. */
export function whyNoSsh(): string | null {
  return whyNoSshd(['/usr/bin/ssh', '/usr/bin/rsync', '/usr/bin/inotifywait']);
}

/**
 * A hub in a process of its own and machines that it reaches over SSH: a real sshd each, all on this disk, so that what lies there can
 * be seen without asking anybody. Nothing is started at the hub before `hub.start()`.
 */
export class SshGround {
  readonly hub: HubProcess;
  /** Servers by machine. */
  readonly machines: ReadonlyMap<string, SshMachine>;
  /** Where bytes are counted: at a cable with all headers, or in a proxy as the payload of TCP. */
  readonly counter: 'cable' | 'proxy';
  readonly #network: Network | null;

  private constructor(hub: HubProcess, machines: ReadonlyMap<string, SshMachine>, network: Network | null) {
    this.hub = hub;
    this.machines = machines;
    this.counter = network === null ? 'proxy' : 'cable';
    this.#network = network;
  }

  static async open(options: SshGroundOptions): Promise<SshGround> {
    const { folder, ssh, local = [], reach = 'direct', latencyMs = 0 } = options;
    const network = reach === 'counted' && (await Network.unavailable()) === null ? await Network.open() : null;
    const machines = new Map<string, SshMachine>();
    try {
      for (const name of ssh) {
        const host = await network?.add(name);
        const machine = await SshMachine.start({
          home: new Home(join(folder, name)),
          folder: join(folder, `sshd-${name}`),
          direct: reach === 'direct' || host !== undefined,
          entry: options.entries?.[name] ?? {},
          sshd: host === undefined ? {} : { address: host.address, prefix: host.prefix, port: OWN_PORT },
        });
        machine.link.latencyMs = latencyMs;
        machines.set(name, machine);
      }
      const entries = Object.fromEntries([...machines].map(([name, { entry }]) => [name, entry]));
      const hub = new HubProcess(folder, [...ssh, ...local], options.program, { entries });
      return new SshGround(hub, machines, network);
    } catch (error) {
      await closeAll(machines, network);
      throw error;
    }
  }

  machine(name: string): SshMachine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${name} over SSH`);
    return machine;
  }

  /** Bytes between hub and machine so far, both ways together. Only where they are counted. */
  async bytes(name: string): Promise<number> {
    if (this.#network !== null) {
      const { sent, received } = await this.#network.bytes(name);
      return sent + received;
    }
    const { toServer, toClient } = this.machine(name).link.passed;
    return toServer + toClient;
  }

  /** How each machine is watched, as the hub says. */
  async watchers(): Promise<string> {
    const { machines } = await this.hub.status();
    return machines.map(({ name, watcher }) => `${name}: ${watcher}`).join(', ');
  }

  async close(): Promise<void> {
    try {
      await this.hub.stop();
    } finally {
      await closeAll(this.machines, this.#network);
    }
  }
}

async function closeAll(machines: ReadonlyMap<string, SshMachine>, network: Network | null): Promise<void> {
  try {
    for (const machine of machines.values()) await machine.close();
  } finally {
    await network?.close();
  }
}
