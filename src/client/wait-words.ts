import type { NotWaitedFor } from '../protocol/sync.ts';

/** Why `wait` does not wait for something, for people. */
export const NOT_WAITED_FOR_WORDS: Record<NotWaitedFor['why'], string> = {
  held: 'held back',
  evicted: 'swept away there, kept at the hub',
  'deferred-live': 'waits until the session is quiet',
  manual: 'waits for your decision',
  failed: 'failed',
  unreadable: 'could not be read',
  machine: 'not reachable',
};
