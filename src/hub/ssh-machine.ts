import type { Rules } from '../core/rules/classify.ts';
import type { MachineName, MachineOs } from '../core/domain.ts';
import type { Config, SshMachineConfig } from './config/schema.ts';
import { ALL_GUARDS } from './engine/guards.ts';
import { followedRootsOf } from './machine-roots.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { FileSystem } from './ports/file-system.ts';
import { createFollowedFileSystem } from './replica/followed-file-system.ts';
import { createFollowedReplica } from './replica/followed-replica.ts';
import { createFollowedWatch } from './replica/followed-watch.ts';
import type { HubIdentity } from './replica/hub-mark.ts';
import { createLivenessProbe } from './replica/liveness.ts';
import type { Replica } from './replica/replica.ts';
import { createTreeReplica } from './replica/tree-replica.ts';
import type { CopyThreads } from './replica/many/copy-threads.ts';
import { Bandwidth } from './ssh/bandwidth.ts';
import { wirePath } from './ssh/drive-path.ts';
import { openSession, type MachineFacts, type SshSession } from './ssh/session.ts';
import { remoteProcesses } from './ssh/remote-processes.ts';
import { Bulk } from './ssh/bulk/bulk.ts';
import { chooseWatch } from './ssh/choose-watch.ts';
import { createSftpFileSystem } from './ssh/sftp-file-system.ts';
import { SshReplica } from './ssh/ssh-replica.ts';
import type { Store } from './store/store.ts';

/** A machine that the hub reaches over SSH, as a replica. */
export interface SshMachineOptions {
  readonly name: MachineName;
  readonly hub: HubIdentity;
  readonly config: SshMachineConfig;
  /** Home of the hub's user, for paths on the hub. */
  readonly home: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Rules;
  readonly sync: Pick<Config['sync'], 'pollSeconds' | 'bandwidthLimitKBps'>;
  /** Absolute data folder of the hub. */
  readonly dataDir: string;
  readonly threads: CopyThreads;
  /** Something did not work and goes another way; for the log. */
  readonly onTrouble: (error: Error) => void;
}

/** Files of one transfer by rsync: a new one takes a third of a second to begin. */
const MANY_WITH_RSYNC = 2_048;
/** Without it. */
const MANY_IN_BURSTS = 256;

/** Builds the replica; nothing is connected before `connect`. */
export function createSshMachine(options: SshMachineOptions): Replica {
  const { name, config, store, clock, sync } = options;
  const limit = sync.bandwidthLimitKBps;
  let bandwidth: Bandwidth | null = null;
  const row = store.machines.get(name);
  return new SshReplica({
    machine: name,
    before: {
      os: config.os ?? (row?.os as MachineOs | null | undefined) ?? 'linux',
      home: row?.home ?? '',
      claudeDir: row?.claudeDir ?? config.claudeDir,
    },
    open(onLost, signal) {
      bandwidth = limit === null ? null : new Bandwidth(clock, limit * 1000);
      return openSession({ config, home: options.home, clock, random: options.random, onLost, signal });
    },
    build: (facts, session, onProgress) => createTree(options, () => bandwidth, facts, { session, onProgress }),
  });
}

function createTree(
  options: SshMachineOptions,
  bandwidth: () => Bandwidth | null,
  facts: MachineFacts,
  { session, onProgress }: { readonly session: () => SshSession; readonly onProgress: (bytes: number) => void },
): Replica {
  const { name, config, store, clock, rules } = options;
  const { os, home, claudeDir } = facts;
  const filesOf = (root: string): FileSystem =>
    createSftpFileSystem({ channel: () => session().channel, root: wirePath(root), start: facts.start, os, bandwidth });
  const own = filesOf(claudeDir);
  const outside = filesOf('/');
  const roots = followedRootsOf({ name, config, store, rules, dataDir: null, claudeDir, fs: own, outside });
  const createWatch = chooseWatch({
    session,
    clock,
    random: options.random,
    mode: config.watch,
    os,
    pollMs: options.sync.pollSeconds * 1000,
    filesOf,
  });
  const prune = (folder: string): boolean => !rules.folderWanted(`${folder}/`);
  const fs = roots === null ? own : createFollowedFileSystem(own, outside, claudeDir, roots);
  const ownWatch = createWatch(claudeDir, prune);
  const followedWatch = roots === null ? null : createFollowedWatch(ownWatch, roots, createWatch, prune);
  const bulk = new Bulk({
    machine: name,
    claudeDir,
    session,
    clock,
    random: options.random,
    rsync: config.rsync,
    explicit: { identityFile: config.identityFile !== undefined, knownHostsFile: config.knownHostsFile !== undefined },
    bytesPerSecond: options.sync.bandwidthLimitKBps === null ? null : options.sync.bandwidthLimitKBps * 1000,
    staging: `${options.dataDir}/staging`,
    threads: options.threads,
    onProgress,
    onTrouble: options.onTrouble,
  });
  const replica = createTreeReplica({
    machine: name,
    hub: options.hub,
    os,
    home,
    claudeDir,
    fs,
    outside,
    clock,
    random: options.random,
    guards: ALL_GUARDS,
    intents: store.intents,
    undo: store.undo,
    flush: () => store.flush({ durable: true }),
    epoch: () => store.machines.get(name)?.connectionEpoch ?? 0,
    watch: followedWatch ?? ownWatch,
    live: createLivenessProbe({ fs: own, clock, processes: os === 'linux' ? remoteProcesses(outside) : null }),
    maxPacket: facts.maxWrite,
    longestAppend: facts.maxWrite,
    overNetwork: true,
    manyAtOnce: config.rsync === 'auto' && (session().probe?.rsync ?? null) !== null ? MANY_WITH_RSYNC : MANY_IN_BURSTS,
    hashes: (paths) => bulk.hashes('', paths),
    patchTemp: (temp, like, source, size) => bulk.patchTemp({ temp, like, source, size }),
    many: (context) => bulk.many(context, os),
  });
  if (roots === null || followedWatch === null) return replica;
  return createFollowedReplica({ replica, roots, fs, watch: followedWatch, intents: store.intents, undo: store.undo });
}
