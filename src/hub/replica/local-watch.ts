import { statfs } from 'node:fs/promises';
import type { RelativePath } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import { createChokidarWatch, isOutOfWatches } from './chokidar-watch.ts';
import { createCoveredFolderWatch, createFolderWatch } from './folder-watch.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import { createPollWatch } from './poll-watch.ts';
import type { Hint } from './replica.ts';
import type { WatchSource } from './watch-source.ts';

/** How the folders of a local machine are watched. */
export interface LocalWatchOptions {
  readonly platform: NodeJS.Platform;
  readonly clock: Clock;
  /** `poll`: only by looking again and again; `auto`: as the system tells, and by polling where it cannot. */
  readonly mode: 'auto' | 'poll';
  /** Time between two looks at active folders, ms. */
  readonly pollMs: number;
  /** The folder may be changed from elsewhere, which this system is not told of. */
  readonly isRemote: boolean;
  /** Whoever scans calls `cover`. */
  readonly coveredByScans: boolean;
}

/** Longest time between two rounds that still shows every folder within 10 s. */
export const MOST_POLL_MS = 9_000;

/** Makes watches on folders of this computer, all in the same way. */
export function localWatch(
  options: LocalWatchOptions,
): (root: string, prune: (folder: RelativePath) => boolean) => WatchSource {
  const { platform, clock, mode, pollMs, isRemote, coveredByScans } = options;
  // inotify is one watch per folder anyway, and then needs no library that remembers every file.
  const createInotify = coveredByScans ? createCoveredFolderWatch : createFolderWatch;
  const createNative = platform === 'linux' ? createInotify : createChokidarWatch;
  return (root, prune) => {
    const poll = createPollWatch({
      fs: createNodeFileSystem(root),
      clock,
      everyMs: Math.min(pollMs, MOST_POLL_MS),
      prune,
    });
    if (mode === 'poll') return poll;
    return createBackedWatch(createNative(root, prune), poll, { always: isRemote, when: isOutOfWatches });
  };
}

/**
 * A watch that is backed by polling: always, or from the first trouble on that says that `when` (the system has no more watches to give).
 * Hints of both are passed on; what comes twice is harmless.
 */
export function createBackedWatch(
  native: WatchSource,
  poll: WatchSource,
  { always, when }: { readonly always: boolean; readonly when: (trouble: string) => boolean },
): WatchSource {
  let polling: Promise<void> | null = null;

  function beginPolling(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void> {
    polling ??= poll.start(onHint, onTrouble);
    return polling;
  }

  return {
    name: always ? `${native.name}+poll` : native.name,
    async start(onHint, onTrouble) {
      await poll.close();
      polling = null;
      let isShort = false;
      await native.start(onHint, (reason) => {
        onTrouble(reason);
        if (!when(reason) || isShort) return;
        isShort = true;
        // It says nothing of what it sees first: what changed since a scan saw it is found by another one.
        beginPolling(onHint, onTrouble).then(
          () => onHint({ path: '', kind: 'folder' }),
          (error: unknown) => onTrouble(`polling failed: ${String(error)}`),
        );
      });
      if (always || isShort) await beginPolling(onHint, onTrouble);
    },
    cover: (folders) => native.cover?.(folders),
    async close() {
      await Promise.all([native.close(), poll.close()]);
    },
  };
}

/** NFS, SMB (three kinds), 9P, FUSE (sshfs and the like), AFS, Ceph: `f_type` of statfs(2). */
const REMOTE_TYPES: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x5346414f, 0x00c36400,
]);

/** Whether a folder lies on a volume that others may write to over a network. What cannot be told is taken for local. */
export async function isOnNetwork(folder: string, platform: NodeJS.Platform): Promise<boolean> {
  if (platform !== 'linux') return false;
  try {
    return REMOTE_TYPES.has((await statfs(folder)).type);
  } catch (error) {
    // Not there (yet), or not for us: connecting says so.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
