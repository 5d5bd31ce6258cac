import type { WatcherFacts } from '../../core/alerts/facts.ts';
import { isOutOfWatches } from '../replica/chokidar-watch.ts';

const WELL: WatcherFacts = { state: 'well', reason: null, fix: null };

/** What is known of the watcher of a machine that is connected. */
export interface WatcherState {
  /** What it told lately, `null` when nothing. */
  readonly trouble: string | null;
  /** What it told of a limit on this connection, `null` when nothing. */
  readonly limit: string | null;
  /** What could be installed to watch folders there; `null` when there is a watcher, or nothing helps. */
  readonly install: string | null;
  /** Whether the folders are polled only. */
  readonly isPolled: boolean;
  /** Whether the configuration wants that. */
  readonly wantsPoll: boolean;
}

/** How well a machine is watched, with what would be better. Machines that can only be polled are as they should be. */
export function watcherFacts({ trouble, limit, install, isPolled, wantsPoll }: WatcherState): WatcherFacts {
  if (wantsPoll) return WELL;
  if (isPolled && install !== null)
    return {
      state: 'missing',
      reason: null,
      fix: `Install a watcher there: ${install}; it is used from the next connection on.`,
    };
  if (limit !== null) return { state: 'limit', reason: limit, fix: limitFix(limit) };
  if (trouble !== null) return { state: 'trouble', reason: trouble, fix: 'claude-sync doctor' };
  return WELL;
}

/** Limits of a system are told once for each watch: what was told stays true until there is a new one. */
export class WatchLimits {
  readonly #told = new Map<string, { readonly epoch: number; readonly reason: string }>();

  /** The limit that was told on the connection `epoch` of a machine. @param trouble what its watcher tells now. */
  of(machine: string, epoch: number, trouble: string | null): string | null {
    if (trouble !== null && isOutOfWatches(trouble)) this.#told.set(machine, { epoch, reason: trouble });
    const told = this.#told.get(machine);
    return told?.epoch === epoch ? told.reason : null;
  }
}

function limitFix(reason: string): string {
  const [name, value] = reason.includes('max_user_instances')
    ? ['fs.inotify.max_user_instances', 1_024]
    : ['fs.inotify.max_user_watches', 1_048_576];
  return `There: echo ${name}=${value} | sudo tee /etc/sysctl.d/60-claude-sync.conf && sudo sysctl --system; then claude-sync down && claude-sync up`;
}
