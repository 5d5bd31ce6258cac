import type { MachineName } from '../core/domain.ts';
import type { Activity, HubNotification } from '../protocol/notifications.ts';
import type { FirstSyncProgress } from '../protocol/status.ts';
import type { SyncEvent } from './engine/events.ts';
import type { Clock } from './ports/clock.ts';
import type { ConflictRow, SyncLogRow } from './store/store.ts';

/** Clients are told at most this often. */
const EVERY_MS = 200;
/** More than anybody reads at once; a first sync makes thousands a second. */
const MOST_ACTIVITY = 50;

/** What notices are made from and for. */
export interface NoticesOptions {
  readonly clock: Clock;
  /** Whether anybody listens: else nothing is collected. */
  readonly hasListeners: () => boolean;
  readonly send: (notification: HubNotification) => void;
  readonly openConflicts: () => number;
  /** Where the first sync of each machine stands that has not finished its own. */
  readonly firstSyncs: () => readonly FirstSyncProgress[];
}

/** Tells clients of what the engine does, in bundles: what was synced, conflicts, and how far first syncs are. */
export class Notices {
  readonly #options: NoticesOptions;
  #activity: Activity[] = [];
  #more = 0;
  readonly #conflicts = new Map<number, ConflictRow>();
  #wereOpen = 0;
  readonly #firstSyncs = new Map<MachineName, FirstSyncProgress>();
  #cancel: (() => void) | null = null;

  constructor(options: NoticesOptions) {
    this.#options = options;
    this.#wereOpen = options.openConflicts();
  }

  note(event: SyncEvent): void {
    if (!this.#options.hasListeners()) return;
    if (event.kind === 'conflict') this.#conflicts.set(event.conflict.id, event.conflict);
    else if (event.kind === 'logged') this.#add(activityOf(event.row));
    else if (event.kind === 'delivered' && event.isWhole) {
      const { machine, key, bytes, latencyMs } = event;
      const at = this.#options.clock.now();
      const common = { source: null, target: machine, action: 'deliver', outcome: 'done' } as const;
      this.#add({ at, key, ...common, bytes, durationMs: latencyMs ?? 0 });
    } else return;
    this.changed();
  }

  /** Something that `status` shows may be another; conflicts that were decided and first syncs are found by looking. */
  changed(): void {
    if (this.#cancel !== null || !this.#options.hasListeners()) return;
    this.#cancel = this.#options.clock.after(EVERY_MS, () => {
      this.#cancel = null;
      this.#send();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #add(activity: Activity): void {
    if (this.#activity.length < MOST_ACTIVITY) this.#activity.push(activity);
    else this.#more += 1;
  }

  #send(): void {
    const { send, openConflicts, firstSyncs } = this.#options;
    if (this.#activity.length > 0)
      send({ method: 'sync/activity', params: { activity: this.#activity, more: this.#more } });
    this.#activity = [];
    this.#more = 0;
    const open = openConflicts();
    if (this.#conflicts.size > 0 || open !== this.#wereOpen) {
      const changed = [...this.#conflicts.values()].map((row) => ({ ...row, sides: [...row.sides] }));
      send({ method: 'conflicts/changed', params: { open, changed } });
    }
    this.#conflicts.clear();
    this.#wereOpen = open;
    const now = new Map(firstSyncs().map((progress) => [progress.machine, progress]));
    for (const progress of now.values()) send({ method: 'sync/progress', params: progress });
    for (const [machine, last] of this.#firstSyncs)
      if (!now.has(machine)) send({ method: 'sync/progress', params: { ...last, ...allDone(last) } });
    this.#firstSyncs.clear();
    for (const [machine, progress] of now) this.#firstSyncs.set(machine, progress);
  }
}

/** The end of a first sync whose last figures were `last`. */
function allDone({ filesTotal, bytesTotal }: FirstSyncProgress): Partial<FirstSyncProgress> {
  return { phase: 'done', filesDone: filesTotal, bytesDone: bytesTotal };
}

function activityOf({ at, key, source, target, action, outcome, bytes, durationMs }: SyncLogRow): Activity {
  return { at, key: key === '' ? '(all)' : key, source, target, action, outcome, bytes, durationMs };
}
