import { join } from 'node:path';
import type { Logger } from 'pino';
import type { HubNotification } from '../../protocol/notifications.ts';
import type { Hub } from '../hub.ts';
import type { Clock } from '../ports/clock.ts';
import { ConversationIndex } from './conversation-index.ts';

/** Clients hear of conversations that changed at most this often, ms. */
const HISTORY_EVERY_MS = 300;

/** The index of a hub's conversations, beside the archive that it is made from. */
export function indexOf(options: {
  readonly hub: Hub;
  readonly dataDir: string;
  readonly clock: Clock;
  /** See `ConversationIndexOptions`. */
  readonly workerUrl: URL | undefined;
  /** `isWanted`: whether anybody listens. */
  readonly notifications: { readonly isWanted: () => boolean; readonly send: (notification: HubNotification) => void };
  readonly log: Logger;
}): ConversationIndex {
  const { hub, dataDir, clock, workerUrl, notifications, log } = options;
  const changed = new Set<string>();
  const tell = (): void => {
    const params = { sessions: [...changed], backlog: index.backlog() };
    changed.clear();
    notifications.send({ method: 'history/changed', params });
  };
  const index = new ConversationIndex({
    path: join(dataDir, 'history.db'),
    store: hub.store,
    archive: hub.archive,
    clock,
    workerUrl,
    projectOf: (key) => hub.engine.placement.projectOf(key),
    isBusy: () => [...hub.engine.links.values()].some((link) => link.pairing && link.connected),
    onChanged: (sessions) => {
      if (!notifications.isWanted()) return;
      if (changed.size === 0) clock.after(HISTORY_EVERY_MS, tell);
      for (const session of sessions) changed.add(session);
    },
    onTrouble: (error) => log.warn({ err: error }, 'trouble with the index of conversations'),
  });
  return index;
}
