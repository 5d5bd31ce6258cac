import { z } from 'zod';
import { AlertsChanged } from './alerts.ts';
import { ConflictSchema } from './conflicts.ts';
import { HistoryChanged } from './history.ts';
import { PullsChanged } from './pulls.ts';
import { KeySchema, MachineNameSchema, UnixMsSchema } from './shared.ts';
import { FirstSyncProgress, StatusResult } from './status.ts';

/** One thing that was done: never content, only keys, sizes and outcomes. */
export const Activity = z.object({
  at: UnixMsSchema,
  key: KeySchema,
  /** `null` when the hub itself acted. */
  source: MachineNameSchema.nullable(),
  target: MachineNameSchema.nullable(),
  /** `commit`, `merge`, ... as in the hub's sync log; `deliver`: brought to `target` and verified there. */
  action: z.string(),
  outcome: z.enum(['done', 'failed', 'refused']),
  bytes: z.number(),
  /** Of a delivery: since the change was seen; 0 when that is not known. */
  durationMs: z.number(),
});
export type Activity = z.infer<typeof Activity>;

/**
 * What the hub tells every client that said hello. A client that reconnects missed some: it fetches `hub/status` and
 * `conflicts/list` once and goes on from there.
 */
export const NOTIFICATIONS = {
  /** Whole snapshot, so that none has to be put together from pieces. At most a few a second. */
  'status/changed': StatusResult,
  'conflicts/changed': z.object({ open: z.number(), changed: z.array(ConflictSchema) }),
  /** A few times a second at most; `more`: how many there were besides. */
  'sync/activity': z.object({ activity: z.array(Activity), more: z.number() }),
  'alerts/changed': AlertsChanged,
  /** First sync of a machine; the last one for a machine has phase `done`. */
  'sync/progress': FirstSyncProgress,
  /** A client that shows pull requests asks for them again. */
  'pulls/changed': PullsChanged,
  'history/changed': HistoryChanged,
  /** The hub is about to stop; the connection closes next. */
  'hub/stopping': z.object({ reason: z.string() }),
} as const;

/** Name of a notification. */
export type NotificationName = keyof typeof NOTIFICATIONS;
/** Parameters of a notification. */
export type NotificationParams<N extends NotificationName> = z.infer<(typeof NOTIFICATIONS)[N]>;

/** A notification with its parameters. */
export type HubNotification = {
  [N in NotificationName]: { readonly method: N; readonly params: NotificationParams<N> };
}[NotificationName];

/** Where the RPC server gets what it passes on to its clients. */
export interface NotificationSource {
  /** Calls `listener` for every notification until the returned function is called. `listener` does not throw. */
  subscribe(listener: (notification: HubNotification) => void): () => void;
}
