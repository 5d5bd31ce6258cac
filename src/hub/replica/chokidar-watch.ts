import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { RelativePath } from '../../core/domain.ts';
import { isPrivate } from './private-folder.ts';
import type { Hint } from './replica.ts';
import type { WatchSource } from './watch-source.ts';

/**
 * Watches a local claudeDir with chokidar.
 *
 * - chokidar 6 reports the first change of a file at once; waiting for a file to be quiet is the engine's business, hence no
 *   `awaitWriteFinish`, and saves by rename are told as what they are (`atomic: false`).
 * - Variable CHOKIDAR_USEPOLLING is taken out of the environment: it would turn every watch into polling.
 * - The kernel drops events silently when they come too fast; scans from time to time are what covers that.
 *
 * @param root absolute claudeDir, symlinks resolved.
 * @param prune whether a folder (path below claudeDir) and everything in it is of no interest. The private folder never is.
 */
export function createChokidarWatch(root: string, prune: (folder: RelativePath) => boolean = () => false): WatchSource {
  const base = root.replaceAll('\\', '/').replace(/\/+$/, '');
  let watcher: FSWatcher | null = null;

  const below = (path: string): RelativePath => path.replaceAll('\\', '/').slice(base.length + 1);

  async function start(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void> {
    // After a lost connection or a lifted quarantine: the old one may watch a folder that is not there any more.
    await watcher?.close();
    delete process.env['CHOKIDAR_USEPOLLING'];
    const reported = new Set<string>();
    const started = watch(base, {
      persistent: true,
      ignoreInitial: true,
      alwaysStat: true,
      followSymlinks: false,
      atomic: false,
      // Without `stats` nobody knows yet whether it is a folder; it is asked again with them.
      ignored: (path, stats) => {
        const relative = below(path);
        return relative !== '' && (isPrivate(relative) || (stats?.isDirectory() === true && prune(relative)));
      },
    });
    watcher = started;
    return new Promise((resolve) => {
      started.on('all', (event, path) => {
        onHint({ path: below(path), kind: event === 'addDir' || event === 'unlinkDir' ? 'folder' : 'file' });
      });
      started.on('error', (error) => {
        // Running out of watches fails once per folder; once is enough to be told.
        const code = errorCode(error);
        if (!reported.has(code)) onTrouble(troubleOf(code, error));
        reported.add(code);
      });
      started.on('ready', () => resolve());
    });
  }

  return {
    name: 'chokidar',
    start,
    close: async () => {
      await watcher?.close();
    },
  };
}

function errorCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? String(error);
}

const OUT_OF_WATCHES = 'the system has no more ';

/** For the user: what is not noticed any more and what helps. */
export function troubleOf(code: string, error: unknown): string {
  const instead = 'so changes are found by looking again and again';
  if (code === 'ENOSPC') return `${OUT_OF_WATCHES}file watches, ${instead}; raise fs.inotify.max_user_watches`;
  if (code === 'EMFILE')
    return `${OUT_OF_WATCHES}watchers or open files, ${instead}; raise fs.inotify.max_user_instances`;
  return `watching failed in part: ${error instanceof Error ? error.message : String(error)}`;
}

/** Whether a trouble says that the system has no watches left, so that something else has to look. */
export function isOutOfWatches(reason: string): boolean {
  return reason.includes(OUT_OF_WATCHES);
}
