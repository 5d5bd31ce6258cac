import { realpath } from 'node:fs/promises';
import type { Rules } from '../core/rules/classify.ts';
import type { MachineName, MachineOs } from '../core/domain.ts';
import type { MachineConfig } from './config/schema.ts';
import { expandHome } from './config/expand-home.ts';
import { ALL_GUARDS } from './engine/guards.ts';
import type { Clock, Random } from './ports/clock.ts';
import { createFollowedFileSystem } from './replica/followed-file-system.ts';
import { createFollowedReplica } from './replica/followed-replica.ts';
import { followedRootsOf } from './machine-roots.ts';
import { createFollowedWatch } from './replica/followed-watch.ts';
import { createLivenessProbe, linuxProcesses } from './replica/liveness.ts';
import { isOnNetwork, localWatch } from './replica/local-watch.ts';
import type { CopyThreads } from './replica/many/copy-threads.ts';
import { createNodeFileSystem } from './replica/node-file-system.ts';
import type { HubIdentity } from './replica/hub-mark.ts';
import type { Replica } from './replica/replica.ts';
import { createTreeReplica } from './replica/tree-replica.ts';
import type { Store } from './store/store.ts';

/** A folder of this computer as a replica. */
export interface LocalMachineOptions {
  readonly name: MachineName;
  readonly hub: HubIdentity;
  readonly config: MachineConfig;
  /** Home of the hub's user; the machine's own `home` setting wins. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Rules;
  /** `sync.pollSeconds`. */
  readonly pollSeconds: number;
  /** Absolute data folder of the hub, which no link may lead to. */
  readonly dataDir: string;
  readonly threads: CopyThreads;
}

/** Builds the replica; nothing is touched on disk before `connect`. */
export async function createLocalMachine(options: LocalMachineOptions): Promise<Replica> {
  const { name, config, store, clock, random, rules, threads } = options;
  const home = config.home === undefined ? options.home : expandHome(config.home, options.home);
  const claudeDir = await resolved(expandHome(config.claudeDir, home));
  const own = createNodeFileSystem(claudeDir);
  const outside = createNodeFileSystem('/');
  const roots = followedRootsOf({ name, config, store, rules, dataDir: options.dataDir, claudeDir, fs: own, outside });
  const createWatch = localWatch({
    platform: options.platform,
    clock,
    mode: config.watch === 'poll' ? 'poll' : 'auto',
    pollMs: options.pollSeconds * 1000,
    isRemote: await isOnNetwork(claudeDir, options.platform),
    // Each followed root has a watch of its own, which no scan knows of.
    coveredByScans: roots === null,
  });
  const prune = (folder: string): boolean => !rules.folderWanted(`${folder}/`);
  const fs = roots === null ? own : createFollowedFileSystem(own, outside, claudeDir, roots);
  const ownWatch = createWatch(claudeDir, prune);
  const followedWatch = roots === null ? null : createFollowedWatch(ownWatch, roots, createWatch, prune);
  const replica = createTreeReplica({
    machine: name,
    hub: options.hub,
    os: config.os ?? osOf(options.platform),
    home,
    claudeDir,
    fs,
    outside,
    clock,
    random,
    guards: ALL_GUARDS,
    intents: store.intents,
    undo: store.undo,
    flush: () => store.flush({ durable: true }),
    epoch: () => store.machines.get(name)?.connectionEpoch ?? 0,
    watch: followedWatch ?? ownWatch,
    live: createLivenessProbe({ fs: own, clock, processes: options.platform === 'linux' ? linuxProcesses() : null }),
    durableCreates: false,
    answersLate: false,
    // A thread knows nothing of links that are followed.
    ...(roots === null ? { threads } : {}),
  });
  if (roots === null || followedWatch === null) return replica;
  return createFollowedReplica({ replica, roots, fs, watch: followedWatch, intents: store.intents, undo: store.undo });
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
