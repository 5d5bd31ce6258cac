import type { MachineName } from '../domain.ts';
import { RESUME_HINT } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** What a connection found at claudeDir, next to what the hub remembers of this machine. */
export interface RootState {
  /** Whether the first pairing was completed. Before it there is nothing that could have been lost. */
  readonly paired: boolean;
  /** Whether claudeDir is there and is a folder. */
  readonly exists: boolean;
  /** Files that sync and were found by a complete listing; `null` while there was none (an incomplete one proves nothing). */
  readonly filesFound: number | null;
  /** Files the machine is known to hold: bases of kind `file` that are not flagged as evicted. */
  readonly filesKnown: number;
  /** Replica id read from `.claude-sync/replica-id`; `null` when there is none. */
  readonly marker: string | null;
  /** Replica id the hub gave to this machine; `null` when it never gave one. */
  readonly expectedMarker: string | null;
  /** Other machines on which the same replica id was seen. */
  readonly alsoSeenOn: readonly MachineName[];
}

/**
 * Whether claudeDir is still the tree that the hub knows. An unmounted home, a fresh disk or a copied virtual machine
 * looks like one huge delete or like somebody else's edits; read as such it would empty or mix up all other machines.
 */
export function judgeRoot(root: RootState): Verdict {
  if (root.paired && !root.exists) {
    return stop('root-missing', 'Its Claude folder is missing (a disk that is not mounted, or a moved folder).');
  }
  if (root.marker !== null && root.alsoSeenOn.length > 0) {
    return stop(
      'marker-twice',
      `Its Claude folder is the same one as on ${root.alsoSeenOn.join(', ')}, or a copy of it.`,
    );
  }
  if (!root.paired) return null;
  if (root.expectedMarker !== null && root.marker === null) {
    return stop(
      'marker-missing',
      'Its Claude folder does not carry the mark of this hub any more: it may be a new one.',
    );
  }
  if (root.expectedMarker !== null && root.marker !== root.expectedMarker) {
    return stop(
      'marker-foreign',
      'Its Claude folder carries the mark of another replica: it is not the folder of before.',
    );
  }
  if (root.filesFound === 0 && root.filesKnown > 0) {
    return stop('root-emptied', `Its Claude folder is empty; ${root.filesKnown} files were there before.`);
  }
  return null;
}

function stop(code: NonNullable<Verdict>['code'], seen: string): Verdict {
  return { code, reason: `${seen} Nothing was deleted or changed elsewhere. ${RESUME_HINT}` };
}
