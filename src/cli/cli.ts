import { Option, type Command } from 'commander';
import { hubPaths, type HubPaths } from '../hub/config/paths.ts';
import { connectToHub, type HubClient } from '../hub/rpc/client.ts';
import { readHubFile } from '../hub/rpc/hub-file.ts';
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

  /** @throws {HubError} `not-running`, `timed-out`, `protocol-mismatch`. */
  async connect(): Promise<HubClient> {
    return connectToHub(await this.socketPath(), { client: 'cli', version: PRODUCT_VERSION });
  }

  /** Runs `task` with a connection and ends it afterwards, whatever happens. */
  async withHub<T>(task: (hub: HubClient) => Promise<T>): Promise<T> {
    const hub = await this.connect();
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
