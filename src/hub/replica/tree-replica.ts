import { Room } from './room.ts';
import { measureClockOffset } from './clock-offset.ts';
import type { MachineName, MachineOs, RelativePath, Sha256 } from '../../core/domain.ts';
import type { Guards } from '../engine/guards.ts';
import type { Clock, Random } from '../ports/clock.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { IntentTable, UndoTable } from '../store/store.ts';
import { guardedAppend } from './append.ts';
import {
  makePrivateFolders,
  probeFolding,
  readMarker,
  replaceMarker,
  requireClaudeFolder,
  writeMarker,
} from './claude-folder.ts';
import { hashByReading } from './hash-by-reading.ts';
import { HubMark, type HubIdentity } from './hub-mark.ts';
import { KnownFolders } from './known-folders.ts';
import type { LivenessProbe } from './liveness.ts';
import { lockFolder } from './lock-folder.ts';
import type { CopyThreads } from './many/copy-threads.ts';
import { inBursts } from './many/in-bursts.ts';
import { oneByOne, throughThreads, type ManyFiles } from './many/many-files.ts';
import { OpenAhead } from './open-ahead.ts';
import { UNDO_FOLDER } from './private-folder.ts';
import { guardedPut } from './put.ts';
import { readBytes, readTreeFile } from './read-bytes.ts';
import { readOutside } from './read-outside.ts';
import { restoreFromIntents } from './recovery.ts';
import { guardedMove, guardedRemove } from './remove.ts';
import { ReplicaFull, ReplicaUnreachable } from './replica.ts';
import type { Replica } from './replica.ts';
import { lookOf, walk } from './safe-walk.ts';
import { scanTree } from './scan.ts';
import { removeOldTemps } from './temps.ts';
import type { TreeContext } from './tree-context.ts';
import { acknowledgeUndo, adoptUnknownUndo, dropUndo, expireUndo, lateWrites } from './undo.ts';
import type { WatchSource } from './watch-source.ts';

/** Largest write of OpenSSH's SFTP server, which is also a fair size locally. */
const DEFAULT_MAX_PACKET = 255 * 1024;

/** Over a network a time that is off by less is not set: files there have whole seconds anyway. */
const NOW_MS = 1_000;

/** A smaller file is read in less time than a command takes to begin. */
const WORTH_A_COMMAND_BYTES = 4 * 1024 * 1024;

/** What a replica is made of. */
export interface TreeReplicaOptions {
  readonly machine: MachineName;
  /** Who syncs; without it no mark is kept, and other hubs are not noticed. */
  readonly hub?: HubIdentity;
  readonly os: MachineOs;
  /** Absolute home folder there. */
  readonly home: string;
  /** Absolute claudeDir there, symlinks resolved. */
  readonly claudeDir: string;
  /** Rooted at claudeDir. */
  readonly fs: FileSystem;
  /** Rooted at '/'; only read from. */
  readonly outside: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly guards: Guards;
  readonly intents: IntentTable;
  readonly undo: UndoTable;
  /** Resolves when the store's rows are on stable storage. Called before anything is taken from its place. */
  readonly flush: () => Promise<void>;
  /** Number of the present connection; has to be a new one before every `connect`. */
  readonly epoch: () => number;
  readonly watch: WatchSource;
  readonly live: LivenessProbe;
  /** Bytes per write; default 255 KiB. */
  readonly maxPacket?: number;
  /**
   * Whether new files are synced like replaced ones; default true. Without it a power cut can leave an empty file behind,
   * which would then look like somebody's change.
   */
  readonly durableCreates?: boolean;
  /** See `Replica.longestAppend`; default `Infinity`. */
  readonly longestAppend?: number;
  /** See `Replica.answersLate`; default true. */
  readonly answersLate?: boolean;
  /**
   * The files are behind a network: fewer and smaller exchanges, at the price of noticing later what others do in the same moment.
   * See `TreeContext.verifyHandle`, `readBack`, `isNow`, `knownFolders` and `OpenAhead`. Default false.
   */
  readonly overNetwork?: boolean;
  /** How many files are carried together; default: by threads where there are some, in bursts over a network, else one by one. */
  readonly many?: (context: TreeContext) => ManyFiles;
  /** See `TreeContext.patchTemp`. */
  readonly patchTemp?: TreeContext['patchTemp'];
  /** See `Replica.hashes`. */
  readonly hashes?: (paths: readonly RelativePath[]) => Promise<ReadonlyMap<RelativePath, Sha256> | null>;
  /** See `Replica.manyAtOnce`; default 64. */
  readonly manyAtOnce?: number;
  /** Threads that copy many files at a time; only for a tree on this computer. Without them files go one by one. */
  readonly threads?: CopyThreads;
}

/**
 * A replica over any `FileSystem`: the guarded protocols of docs/sync.md sections 6 and 7, the same for local disks, SFTP and
 * the simulation.
 *
 * `connect` rejects with `ClaudeFolderMissing`, `OtherHubPresent` or `PrivateFolderUnusable`; `lock`, `lateWrites`, `expireUndo`,
 * `readMarker`, `writeMarker`, `replaceMarker`, `read` and `readUndo` also with `FileSystemError`. The guarded writes turn failures into outcomes.
 */
export function createTreeReplica(options: TreeReplicaOptions): Replica {
  const { machine, os, fs } = options;
  let folds = os !== 'linux';
  const overNetwork = options.overNetwork ?? false;
  /** Of the machine's clock, as it was measured last. */
  let offsetMs = 0;
  const knownFolders = overNetwork ? new KnownFolders(options.clock) : null;
  const ahead = overNetwork ? new OpenAhead(fs, options.clock) : null;
  const context: TreeContext = {
    machine,
    fs,
    clock: options.clock,
    random: options.random,
    guards: options.guards,
    intents: options.intents,
    undo: options.undo,
    flush: () => (options.guards.on('durable-before-destructive') ? options.flush() : Promise.resolve()),
    epoch: options.epoch,
    maxPacket: options.maxPacket ?? DEFAULT_MAX_PACKET,
    durableCreates: options.durableCreates ?? true,
    verifyHandle: !overNetwork,
    readBack: !overNetwork,
    patchTemp: options.patchTemp ?? null,
    hashOf: async (path, size) =>
      (size >= WORTH_A_COMMAND_BYTES ? (await options.hashes?.([path]))?.get(path) : undefined) ??
      hashByReading(fs, path, size),
    isNow: (mtimeMs) => overNetwork && Math.abs(mtimeMs - (options.clock.now() + offsetMs)) <= NOW_MS,
    knownFolders,
    room: new Room(fs, options.clock),
    foldsNames: () => folds,
    spelledFolders: new Set(),
    busyUndo: new Set(),
  };

  const many = options.many
    ? options.many(context)
    : options.threads
      ? throughThreads(context, os, options.claudeDir, options.threads)
      : overNetwork
        ? inBursts(context, os)
        : oneByOne(context, os);

  const mark = options.hub === undefined ? null : new HubMark(context, options.hub);

  /** Says that the machine is gone, or its disk full, in the engine's words. */
  async function reaching<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw FileSystemError.is(error, 'no-space') ? new ReplicaFull(machine, error.message, error) : translated(error);
    }
  }

  /** For what writes on the hub's own disk meanwhile: where that is full, the machine must not be blamed. */
  async function reachingFromHub<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw translated(error);
    }
  }

  async function* reachingEach(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* bytes;
    } catch (error) {
      throw translated(error);
    }
  }

  function translated(error: unknown): unknown {
    return FileSystemError.is(error, 'disconnected') ? new ReplicaUnreachable(machine, error.message, error) : error;
  }

  return {
    machine,
    os,
    home: options.home,
    claudeDir: options.claudeDir,
    answersLate: options.answersLate ?? true,
    get watcher() {
      return options.watch.name;
    },
    longestAppend: options.longestAppend ?? Infinity,
    manyAtOnce: options.manyAtOnce ?? 64,

    connect: () =>
      reaching(async () => {
        context.spelledFolders.clear();
        knownFolders?.forget();
        ahead?.clear();
        await requireClaudeFolder(context, options.claudeDir);
        await makePrivateFolders(context);
        await mark?.claim();
        // Before anything else: what an older connection left in a queue must find nothing to put into place.
        await removeOldTemps(context);
        await restoreFromIntents(context);
        await adoptUnknownUndo(context);
        // macOS folds normal forms even on volumes that tell cases apart, so only Linux is asked.
        folds = os !== 'linux' || (await probeFolding(context).catch(foldsPerhaps));
      }),
    close: () => options.watch.close(),
    renewHubMark: () => reaching(async () => mark?.renew()),
    withdrawHubMark: () => reaching(async () => mark?.withdraw()),
    clockOffset: () =>
      reaching(async () => {
        offsetMs = await measureClockOffset(context);
        return offsetMs;
      }),

    readMarker: () => reaching(() => readMarker(context)),
    writeMarker: (id) => reaching(() => writeMarker(context, id)),
    replaceMarker: (old, id) => reaching(() => replaceMarker(context, old, id)),
    watch: (onHint, onTrouble) => reaching(() => options.watch.start(onHint, onTrouble)),

    look: (path) =>
      reaching(async () => {
        const walking = walk(fs, path, knownFolders);
        ahead?.begin(path);
        const look = lookOf(path, await walking);
        ahead?.noteLook(path, look.kind === 'file');
        return look;
      }),
    lookMany: (paths) => reaching(() => many.look(paths)),
    scan: (folder, wanted) =>
      reaching(() =>
        scanTree(fs, folder, wanted, options.clock.now(), {
          cover: (folders) => options.watch.cover?.(folders),
          listMany: many.lister?.(folder) ?? ((folders) => many.list(folders)),
        }),
      ),
    read: (path, from, to) =>
      reachingEach(
        readTreeFile(fs, path, from, to, { takeOpened: () => ahead?.take(path) ?? null, known: knownFolders }),
      ),

    append: (path, request) =>
      reaching(() => {
        ahead?.noteAppend(path);
        return guardedAppend(context, path, request);
      }),
    put: (path, request) => reaching(() => guardedPut(context, os, path, request)),
    createMany: (requests, waiting) => reaching(() => many.create(requests, waiting)),
    fetchMany: (requests, intake, waiting) => reachingFromHub(() => many.fetch(requests, intake, waiting)),
    remove: (path, request) => reaching(() => guardedRemove(context, path, request)),
    move: (from, to, request) => reaching(() => guardedMove(context, os, from, to, request.expect)),

    lock: (path) =>
      reaching(async () => {
        const giveBack = await lockFolder(context, path);
        return giveBack === null ? null : () => reaching(giveBack);
      }),

    lateWrites: () => reaching(() => lateWrites(context)),
    readUndo: (name, from, to) => reachingEach(readBytes(fs, undoPathOf(name), from, to)),
    acknowledgeUndo: (name, size) => acknowledgeUndo(context, name, size),
    dropUndo: (isWanted) => reaching(() => dropUndo(context, isWanted)),
    expireUndo: (before, isLive) => reaching(() => expireUndo(context, before, isLive)),

    liveSessions: (clockOffsetMs) => reaching(() => options.live.liveSessions(clockOffsetMs)),
    ...(options.hashes === undefined
      ? {}
      : { hashes: (paths) => reaching(async () => options.hashes?.(paths) ?? null) }),
    readOutside: (absolutePath) => reaching(() => readOutside(options.outside, options.clock, absolutePath)),
    space: () => reaching(() => fs.space('')),
  };
}

/** On a full disk nothing can be tried out, but much can be read: no two names that might be one are taken for two then. */
function foldsPerhaps(error: unknown): true {
  if (FileSystemError.is(error, 'no-space')) return true;
  throw error;
}

function undoPathOf(name: string): string {
  if (name.includes('/') || name.startsWith('.')) throw new TypeError(`not the name of an undo entry: ${name}`);
  return `${UNDO_FOLDER}/${name}`;
}
