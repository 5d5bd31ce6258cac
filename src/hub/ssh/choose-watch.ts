import type { MachineOs, RelativePath } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { createPollWatch } from '../replica/poll-watch.ts';
import type { WatchSource } from '../replica/watch-source.ts';
import type { SshSession } from './session.ts';

/** How the folders of a machine over SSH are watched. */
export interface ChooseWatchOptions {
  readonly session: () => SshSession;
  readonly clock: Clock;
  readonly mode: 'auto' | 'inotifywait' | 'fswatch' | 'poll';
  readonly os: MachineOs;
  /** Time between two looks at active folders, ms. */
  readonly pollMs: number;
  readonly filesOf: (root: string) => FileSystem;
}

/** Longest time between two rounds that still shows every folder within 10 s. */
const MOST_POLL_MS = 9_000;

/** Makes watches on folders of a machine, all in the same way. */
export function chooseWatch(
  options: ChooseWatchOptions,
): (root: string, prune: (folder: RelativePath) => boolean) => WatchSource {
  const { clock, filesOf, pollMs } = options;
  return (root, prune) => createPollWatch({ fs: filesOf(root), clock, everyMs: Math.min(pollMs, MOST_POLL_MS), prune });
}
