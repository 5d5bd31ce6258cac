import type { MachineOs, RelativePath } from '../../core/domain.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { createBackedWatch, MOST_POLL_MS } from '../replica/local-watch.ts';
import { createPollWatch } from '../replica/poll-watch.ts';
import type { WatchSource } from '../replica/watch-source.ts';
import { createFswatchWatch } from './fswatch-watch.ts';
import { createInotifyWatch } from './inotify-watch.ts';
import type { SshSession } from './session.ts';

/** How the folders of a machine over SSH are watched. */
export interface ChooseWatchOptions {
  readonly session: () => SshSession;
  readonly clock: Clock;
  readonly random: Random;
  /** `auto`: the watcher of the system where it is installed, else polling. One that is named and not there is a trouble, and polled. */
  readonly mode: 'auto' | 'inotifywait' | 'fswatch' | 'poll';
  readonly os: MachineOs;
  /** Time between two looks at active folders, ms. */
  readonly pollMs: number;
  readonly filesOf: (root: string) => FileSystem;
}

/**
 * Makes watches on folders of a machine. Each decides anew with every connection: a watcher may have been installed meanwhile. While a
 * watcher is in trouble the folders are polled as well, so that nothing takes longer than 10 s.
 */
export function chooseWatch(
  options: ChooseWatchOptions,
): (root: string, prune: (folder: RelativePath) => boolean) => WatchSource {
  const { clock, filesOf, pollMs, session } = options;
  return (root, prune) => {
    let chosen: WatchSource | null = null;
    return {
      get name() {
        return chosen?.name ?? 'none';
      },
      async start(onHint, onTrouble) {
        await chosen?.close();
        const present = session();
        const poll = createPollWatch({ fs: filesOf(root), clock, everyMs: Math.min(pollMs, MOST_POLL_MS), prune });
        const native = nativeWatch(options, present, root, prune);
        chosen = native === null ? poll : createBackedWatch(native, poll, { always: false, when: () => true });
        const missing = native === null ? missingTool(options.mode) : null;
        if (missing !== null) onTrouble(missing);
        await chosen.start(onHint, (reason) => {
          // With its connection every watcher ends; that is told by the connection.
          if (!present.channel.isLost) onTrouble(reason);
        });
      },
      close: async () => chosen?.close(),
    };
  };
}

function nativeWatch(
  { clock, random, mode, os }: ChooseWatchOptions,
  { commands, probe }: SshSession,
  root: string,
  prune: (folder: RelativePath) => boolean,
): WatchSource | null {
  if (probe === null || mode === 'poll') return null;
  const common = { commands, clock, root, prune };
  const inotify = probe.inotifywait === null ? null : createInotifyWatch({ ...common, tool: probe.inotifywait });
  const fswatch =
    probe.fswatch === null
      ? null
      : createFswatchWatch({ ...common, random, tool: probe.fswatch, system: probe.system });
  if (mode === 'inotifywait') return inotify;
  if (mode === 'fswatch') return fswatch;
  // On Linux fswatch does what inotifywait does, and tells less; on macOS it is the only one.
  return os === 'macos' ? (fswatch ?? inotify) : (inotify ?? fswatch);
}

function missingTool(mode: ChooseWatchOptions['mode']): string | null {
  if (mode === 'auto' || mode === 'poll') return null;
  return `${mode} is not installed there, or no shell answers: the folder is polled until it is`;
}
