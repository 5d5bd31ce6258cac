import { setTimeout } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { hubPaths, type HubPaths } from '../hub/config/paths.ts';
import type { LockOwner } from '../hub/lock-owner.ts';
import { connectToHub, type HubClient } from '../client/connect.ts';
import { launchHub } from '../client/launch-hub.ts';
import { readHubFile } from '../hub/rpc/hub-file.ts';
import { HubError } from '../protocol/errors.ts';
import { PRODUCT_VERSION } from '../protocol/product-version.ts';
import type { ExitCode } from './failure.ts';
import { Output } from './output.ts';
import type { Surroundings } from './surroundings.ts';

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly socket?: string;
  readonly json?: boolean;
}

/** A hub makes a socket that was removed anew within this time, in ms. */
const SOCKET_BACK_MS = 6_000;
const POLL_MS = 100;

/** A hub lives on this data folder, but it cannot be asked anything. */
export class HubOutOfReach extends HubError {
  readonly owner: LockOwner;

  constructor(
    owner: LockOwner,
    places: { readonly socket: string; readonly dataDir: string; readonly logFile: string },
  ) {
    const { pid } = owner.file ?? { pid: null };
    const who = pid === null ? 'a hub that is still starting (or stopping)' : `the hub (pid ${pid})`;
    super(
      'timed-out',
      `${who} has the data folder ${places.dataDir}, but nobody answers at its socket ${places.socket}`,
      {
        unchanged: 'Nothing was changed.',
        next: `Try again in a moment; its log is ${places.logFile}.${pid === null ? '' : ` If it stays silent, kill ${pid} stops it in order; then: claude-sync up`}`,
      },
    );
    this.name = 'HubOutOfReach';
    this.owner = owner;
  }
}

/** What a command works with. */
export class Cli {
  readonly world: Surroundings;
  readonly out: Output;
  readonly options: GlobalOptions;
  /** Where this user's hub keeps things. */
  readonly places: HubPaths;

  constructor(world: Surroundings, options: GlobalOptions) {
    this.world = world;
    this.options = options;
    this.out = new Output(world, options.json === true);
    const { env, platform, home, tmp, uid, cwd } = world;
    const { config, dataDir, socket } = options;
    this.places = hubPaths({ env, platform, home, tmp, uid, cwd, config, dataDir, socket });
  }

  /** The socket to talk to: the one named, else the one that the hub of the data folder wrote down, else the usual one. */
  async socketPath(): Promise<string> {
    const named = this.options.socket ?? this.world.env['CLAUDE_SYNC_SOCKET'];
    if (named !== undefined && named !== '') return this.places.socket;
    return (await readHubFile(this.places.dataDir))?.socket ?? this.places.socket;
  }

  /**
   * A hub that lives but cannot be found at its socket is waited for, `patienceMs` long: it is starting, or its socket was removed and
   * is made anew within seconds.
   * @throws {HubError} `not-running`, `timed-out` (`HubOutOfReach` among them), `protocol-mismatch`.
   */
  async connect(patienceMs: number = SOCKET_BACK_MS): Promise<HubClient> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const socket = await this.socketPath();
      try {
        return await connectToHub(socket, { client: 'cli', version: PRODUCT_VERSION });
      } catch (error) {
        if (!HubError.is(error, 'not-running')) throw error;
        const owner = await this.#owner();
        // Another socket was named than the one that this hub has: nothing will come of waiting.
        if (owner === null || (owner.file !== null && owner.file.socket !== socket)) throw error;
        if (performance.now() >= deadline) throw new HubOutOfReach(owner, { ...this.places, socket });
      }
      await setTimeout(POLL_MS);
    }
  }

  /** Starts a hub as a process of its own, with the places of this command, see `launchHub`. */
  launchHub(timeoutMs: number): Promise<HubClient> {
    const { places, world } = this;
    return launchHub({ places, program: world.self, env: world.env, client: 'cli', timeoutMs });
  }

  /** Loads the database's library, which the commands do without as long as their hub answers. */
  async #owner(): Promise<LockOwner | null> {
    const { lockOwner } = await import('../hub/lock-owner.ts');
    return lockOwner(this.places.dataDir);
  }

  /** Runs `task` with a connection and ends it afterwards, whatever happens. */
  async withHub<T>(task: (hub: HubClient) => Promise<T>, patienceMs?: number): Promise<T> {
    const hub = await this.connect(patienceMs);
    try {
      return await task(hub);
    } finally {
      hub.close();
    }
  }
}

/** A command's work: gets its arguments, then its own options. */
export type Action<A extends unknown[]> = (cli: Cli, ...args: A) => Promise<ExitCode>;

/** Binds commands to the surroundings and keeps the exit code. */
export interface CommandHost {
  /** Adds a command below `parent`; it takes the global options too. `isDefault`: it runs when the group is named alone. */
  command(parent: Command, usage: string, description: string, options?: { readonly isDefault: boolean }): Command;
  /** What commander is to call. */
  run<A extends unknown[]>(action: Action<A>): (...args: unknown[]) => Promise<void>;
}

/** Adds the options that every command takes. */
export function withGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'configuration file (env CLAUDE_SYNC_CONFIG)'))
    .addOption(new Option('--data-dir <dir>', "the hub's data folder (env CLAUDE_SYNC_DATA_DIR)"))
    .addOption(new Option('--socket <path>', "the hub's socket (env CLAUDE_SYNC_SOCKET)"))
    .addOption(new Option('--json', 'print JSON; errors as JSON on stderr'));
}

/** The global options of `command` and of those above it; the innermost wins. */
export function globalOptions(command: Command): GlobalOptions {
  const above: GlobalOptions = command.parent === null ? {} : globalOptions(command.parent);
  const { config, dataDir, socket, json } = command.opts<GlobalOptions>();
  return Object.assign({}, above, definedOnly({ config, dataDir, socket, json }));
}

function definedOnly(options: Record<string, unknown>): GlobalOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
