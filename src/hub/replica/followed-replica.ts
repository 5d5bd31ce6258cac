import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { IntentTable, UndoTable } from '../store/store.ts';
import type { FollowedRoots } from './followed-roots.ts';
import type { FollowedWatch } from './followed-watch.ts';
import { UNDO_FOLDER } from './private-folder.ts';
import { refused } from './refusal.ts';
import type { Replica, WriteOutcome } from './replica.ts';

/** What a replica with followed roots is made of. */
export interface FollowedReplicaOptions {
  /** Works on `fs` and is watched by `watch`. */
  readonly replica: Replica;
  readonly roots: FollowedRoots;
  readonly fs: FileSystem;
  readonly watch: FollowedWatch;
  readonly intents: IntentTable;
  readonly undo: UndoTable;
}

/**
 * A replica with followed roots: looks where they lead before it connects and before it lists everything, and refuses what must not
 * be done through a link.
 */
export function createFollowedReplica(options: FollowedReplicaOptions): Replica {
  const { replica, roots, watch } = options;
  const refusalFor = (path: RelativePath, change: 'put' | 'remove' | 'move'): WriteOutcome | null => {
    const reason = roots.unwritable(path, change);
    return reason === null ? null : refused('unsafe-path', reason);
  };
  return {
    ...replica,
    get watcher() {
      return replica.watcher;
    },
    async connect() {
      await roots.refresh();
      await restoreRoots(options);
      await replica.connect();
    },
    async scan(folder, wanted) {
      if (folder !== '') return replica.scan(folder, wanted);
      if (await roots.refresh()) await watch.refresh();
      const scan = await replica.scan(folder, wanted);
      const refusals = new Map(scan.refused);
      for (const [root, why] of await roots.unknown()) if (!scan.unlisted.has(root)) refusals.set(root, why);
      return { ...scan, refused: refusals };
    },
    put: async (path, request) => refusalFor(path, 'put') ?? replica.put(path, request),
    async createMany(requests, waiting) {
      const refusals = requests.map(({ path }) => refusalFor(path, 'put'));
      const allowed = requests.filter((_, index) => refusals[index] === null);
      const outcomes = (await replica.createMany(allowed, waiting))[Symbol.iterator]();
      return refusals.map((refusal) => refusal ?? (outcomes.next().value as WriteOutcome));
    },
    remove: async (path, request) => refusalFor(path, 'remove') ?? replica.remove(path, request),
    move: async (from, to, request) =>
      refusalFor(from, 'move') ?? refusalFor(to, 'move') ?? replica.move(from, to, request),
  };
}

/**
 * Gives back a file to which a root leads and that a crash left in undo, in the middle of being replaced. The ordinary recovery only
 * sees a link that leads to nothing, of which nothing may be believed.
 */
async function restoreRoots({ replica, roots, fs, intents, undo }: FollowedReplicaOptions): Promise<void> {
  for (const intent of intents.ofMachine(replica.machine)) {
    if (!roots.isFollowedFile(intent.path)) continue;
    const undoPath = `${UNDO_FOLDER}/${intent.undo}`;
    if ((await fs.lstat(undoPath)) === null) continue;
    try {
      await fs.rename(undoPath, intent.path);
    } catch (error) {
      // It is there (undo keeps the other one), or so is not even its folder: then undo keeps the only one.
      if (FileSystemError.is(error, 'exists', 'missing')) continue;
      throw error;
    }
    undo.delete(replica.machine, intent.undo);
    intents.delete(intent.id);
  }
}
