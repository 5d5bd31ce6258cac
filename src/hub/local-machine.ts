import { realpath } from 'node:fs/promises';
import type { Rules } from '../core/rules/classify.ts';
import type { MachineName, MachineOs } from '../core/domain.ts';
import type { MachineConfig } from './config/schema.ts';
import { expandHome } from './config/expand-home.ts';
import { ALL_GUARDS } from './engine/guards.ts';
import type { Clock, Random } from './ports/clock.ts';
import { createChokidarWatch } from './replica/chokidar-watch.ts';
import { createFolderWatch } from './replica/folder-watch.ts';
import { createLivenessProbe, linuxProcesses } from './replica/liveness.ts';
import { createNodeFileSystem } from './replica/node-file-system.ts';
import type { Replica } from './replica/replica.ts';
import { createTreeReplica } from './replica/tree-replica.ts';
import type { Store } from './store/store.ts';

/** A folder of this computer as a replica. */
export interface LocalMachineOptions {
  readonly name: MachineName;
  readonly config: MachineConfig;
  /** Home of the hub's user; the machine's own `home` setting wins. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Rules;
}

/** Builds the replica; nothing is touched on disk before `connect`. */
export async function createLocalMachine(options: LocalMachineOptions): Promise<Replica> {
  const { name, config, store, clock, random, rules } = options;
  const home = config.home === undefined ? options.home : expandHome(config.home, options.home);
  const claudeDir = await resolved(expandHome(config.claudeDir, home));
  const fs = createNodeFileSystem(claudeDir);
  // inotify is one watch per folder anyway, and then needs no library that remembers every file.
  const createWatch = options.platform === 'linux' ? createFolderWatch : createChokidarWatch;
  return createTreeReplica({
    machine: name,
    os: config.os ?? osOf(options.platform),
    home,
    claudeDir,
    fs,
    outside: createNodeFileSystem('/'),
    clock,
    random,
    guards: ALL_GUARDS,
    intents: store.intents,
    undo: store.undo,
    flush: () => store.flush({ durable: true }),
    epoch: () => store.machines.get(name)?.connectionEpoch ?? 0,
    watch: createWatch(claudeDir, (folder) => !rules.folderWanted(`${folder}/`)),
    live: createLivenessProbe({ fs, clock, processes: options.platform === 'linux' ? linuxProcesses() : null }),
    durableCreates: false,
    answersLate: false,
  });
}

/** claudeDir may itself be a link (a dotfiles checkout): it is resolved once; nothing below it is followed. */
async function resolved(claudeDir: string): Promise<string> {
  try {
    return await realpath(claudeDir);
  } catch (error) {
    // Not there (yet): connecting says so, with the path as it was written.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return claudeDir;
    throw error;
  }
}

function osOf(platform: NodeJS.Platform): MachineOs {
  if (platform === 'win32') return 'windows';
  return platform === 'darwin' ? 'macos' : 'linux';
}
