import type { HealthFacts, MachineFacts } from '../../../src/core/alerts/facts.ts';

export const NOW = 1_700_000_000_000;

/** A machine that is well, apart from `more`. */
export function machine(more: Partial<MachineFacts> = {}): MachineFacts {
  return {
    name: 'rog',
    status: 'online',
    reason: null,
    next: 'claude-sync doctor',
    failures: { givenUp: 0, reason: null, inARow: 0, lastReason: null },
    clock: { offsetMs: 0, fix: 'set it' },
    watcher: { state: 'well', reason: null, fix: null },
    space: { freeBytes: 50, totalBytes: 100 },
    cleanUp: { days: 30, sessions: 0, earliestAt: null },
    ...more,
  };
}

/** Facts of a hub with which all is well, apart from `more`. */
export function facts(more: Partial<HealthFacts> = {}): HealthFacts {
  return {
    now: NOW,
    machines: [machine()],
    conflicts: [],
    recentConflicts: [],
    alternations: [],
    approvalsWaiting: 0,
    hubSpace: { freeBytes: 50, totalBytes: 100 },
    diskTrouble: null,
    configuration: null,
    retention: null,
    damaged: [],
    mended: 0,
    ...more,
  };
}
