import assert from 'node:assert/strict';
import type { SyncEvent } from '../../src/hub/engine/events.ts';
import type { ConflictRow } from '../../src/hub/store/store.ts';
import { Notices } from '../../src/hub/notices.ts';
import type { HubNotification } from '../../src/protocol/notifications.ts';
import { NOTIFICATIONS } from '../../src/protocol/notifications.ts';
import type { FirstSyncProgress } from '../../src/protocol/status.ts';
import { ManualClock } from './store/manual-clock.ts';

const DELIVERED: SyncEvent = {
  kind: 'delivered',
  machine: 'mac',
  key: 'agents/a.md',
  bytes: 7,
  latencyMs: 3,
  isWhole: true,
};

describe('what clients are told of the sync', () => {
  let clock: ManualClock;
  let sent: HubNotification[];
  let firstSyncs: FirstSyncProgress[];
  let open: number;
  let isHeard: boolean;
  let notices: Notices;

  beforeEach(() => {
    clock = new ManualClock();
    [sent, firstSyncs, open, isHeard] = [[], [], 0, true];
    notices = new Notices({
      clock,
      hasListeners: () => isHeard,
      send: (notification) => {
        // As the clients check it.
        NOTIFICATIONS[notification.method].parse(notification.params);
        sent.push(notification);
      },
      openConflicts: () => open,
      firstSyncs: () => firstSyncs,
    });
  });

  it('comes in bundles, and what is too much is counted', () => {
    for (let index = 0; index < 60; index += 1) notices.note(DELIVERED);
    assert.equal(sent.length, 0);
    clock.advance(200);
    const [first] = sent;
    assert.equal(sent.length, 1);
    assert.ok(first?.method === 'sync/activity');
    assert.deepEqual([first.params.activity.length, first.params.more], [50, 10]);
    assert.deepEqual([first.params.activity[0]?.action, first.params.activity[0]?.target], ['deliver', 'mac']);
  });

  it('is nothing while nobody listens, and nothing is kept for later', () => {
    isHeard = false;
    notices.note(DELIVERED);
    isHeard = true;
    notices.changed();
    clock.advance(200);
    assert.deepEqual(sent, []);
  });

  it('has the conflicts that came, and says when one was decided', () => {
    const conflict: ConflictRow = {
      id: 4,
      key: 'CLAUDE.md',
      at: 1,
      status: 'open',
      baseSha256: null,
      sides: [{ machine: 'mac', sha256: 'ab', bytes: 2, mtimeMs: 1 }],
      strategy: 'manual',
      winner: null,
      resolvedAt: null,
      resolution: null,
    };
    open = 1;
    notices.note({ kind: 'conflict', machine: 'mac', conflict });
    clock.advance(200);
    open = 0;
    notices.changed();
    clock.advance(200);
    const told = sent.map((one) => one.method === 'conflicts/changed' && [one.params.open, one.params.changed.length]);
    assert.deepEqual(told, [
      [1, 1],
      [0, 0],
    ]);
  });

  it('says how far first syncs are, and when one is done', () => {
    const progress = {
      machine: 'mac',
      phase: 'writing',
      filesDone: 3,
      filesTotal: 9,
      bytesDone: 1,
      bytesTotal: 5,
    } as const;
    firstSyncs = [progress];
    notices.changed();
    clock.advance(200);
    firstSyncs = [];
    notices.changed();
    clock.advance(200);
    notices.changed();
    clock.advance(200);
    assert.deepEqual(
      sent.map(({ params }) => params),
      [progress, { ...progress, phase: 'done', filesDone: 9, bytesDone: 5 }],
    );
  });
});
