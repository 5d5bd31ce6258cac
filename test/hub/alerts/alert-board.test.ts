import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAME_ALERT_MS } from '../../../src/core/alerts/lifecycle.ts';
import { AlertBoard, LOOK_AT_MOST_MS, LOOK_EVERY_MS } from '../../../src/hub/alerts/alert-board.ts';
import { createAlertService } from '../../../src/hub/alerts/alert-service.ts';
import { openStore } from '../../../src/hub/store/open-store.ts';
import type { Store } from '../../../src/hub/store/store.ts';
import { AlertsChanged, AlertsListResult } from '../../../src/protocol/alerts.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import { machine } from '../../core/alerts/well.ts';
import { ManualClock } from '../store/manual-clock.ts';
import { FakeFacts } from './fake-facts.ts';

const MINUTE = 60_000;
const LOW = { freeBytes: 1, totalBytes: 100 };
const OFFLINE = [machine({ status: 'offline', reason: 'no route' })];

describe('the board of alerts', () => {
  let clock: ManualClock;
  let folder: string;
  let store: Store;
  let facts: FakeFacts;
  let board: AlertBoard;
  let told: AlertsChanged[];
  let ran: string[];
  let cleared: string[];
  let troubles: string[];

  beforeEach(async () => {
    clock = new ManualClock();
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-alerts-'));
    [told, ran, cleared, troubles] = [[], [], [], []];
    await open();
  });
  afterEach(async () => {
    await board.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(): Promise<void> {
    store = await openStore({ path: join(folder, 'sync.db'), clock: new ManualClock(), driver: 'inline' });
    facts = new FakeFacts(clock);
    board = new AlertBoard({
      facts,
      store,
      clock,
      // What clients get is checked as the server does.
      onChanged: (changed) => void told.push(AlertsChanged.parse(changed)),
      onCleared: ({ id }) => void cleared.push(id),
      hook: {
        tell: ({ id }, event) => void ran.push(`${event} ${id}`),
        stop: () => Promise.resolve(),
      },
      onTrouble: (error) => void troubles.push(error.message),
    });
  }

  async function restart(more: FakeFacts['more']): Promise<void> {
    await board.stop();
    await store.close();
    await open();
    facts.more = more;
    board.start();
  }

  const active = (): string[] => board.active().map(({ id }) => id);

  it('tells no secret that a reason brought along', async () => {
    const token = `ghp_${'aB3dE6gH1j'.repeat(4)}`;
    facts.more = { machines: [machine({ status: 'offline', reason: `no way with ${token}` })] };
    board.look();
    const seen = JSON.stringify([board.active(), told, [...store.alerts.values()]]);
    assert.ok(seen.includes('no way with [hidden:github-token]') && !seen.includes(token), seen);
  });

  it('says nothing while all is well', () => {
    board.start();
    clock.advance(MINUTE);
    assert.deepEqual([active(), told, ran], [[], [], []]);
  });

  it('looks at everything every ten seconds, and an alert rises and falls by itself', () => {
    board.start();
    facts.more = { hubSpace: LOW };
    clock.advance(LOOK_EVERY_MS - 1);
    assert.deepEqual(active(), []);
    clock.advance(1);
    const at = clock.now();
    assert.deepEqual(
      board.active().map((alert) => [alert.id, alert.at]),
      [['disk', at]],
    );
    clock.advance(MINUTE);
    facts.more = {};
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual(active(), []);
    assert.deepEqual([ran, cleared], [['raised disk'], ['disk']]);
    assert.deepEqual(
      told.map((change) => [change.raised, change.cleared, change.active].map((list) => list.map(({ id }) => id))),
      [
        [['disk'], [], ['disk']],
        [[], ['disk'], []],
      ],
    );
  });

  it('looks soon when something changed, once a second at most', () => {
    board.start();
    facts.more = { hubSpace: LOW };
    for (let ms = 0; ms < 3_000; ms += 1) {
      board.changed();
      clock.advance(1);
    }
    assert.equal(facts.looks, 4);
    assert.deepEqual(active(), ['disk']);
    clock.advance(LOOK_EVERY_MS - 1);
    facts.more = {};
    board.changed();
    clock.advance(1);
    assert.deepEqual(active(), [], 'long after the last look it is at once');
  });

  it('looks when an answer came that was asked for, and when the engine told of a failure', () => {
    board.start();
    for (const tell of [
      () => facts.answered(),
      () => board.note({ kind: 'failed', machine: 'rog', key: 'k', reason: 'r' }),
    ]) {
      const before = facts.looks;
      tell();
      clock.advance(LOOK_AT_MOST_MS);
      assert.equal(facts.looks, before + 1);
    }
    const before = facts.looks;
    board.note({ kind: 'taken', machine: 'rog', key: 'k' });
    clock.advance(LOOK_AT_MOST_MS);
    assert.equal(facts.looks, before);
  });

  it('tells an alert that stands once, also over a restart', async () => {
    board.start();
    facts.more = { machines: OFFLINE };
    board.look();
    const [before] = board.active();
    clock.advance(MINUTE);
    await restart({ machines: [machine({ status: 'degraded', reason: 'not connected yet' })] });
    assert.deepEqual(board.active(), [before], 'it stands until the machine is known to be back');
    clock.advance(5 * MINUTE);
    facts.more = { machines: OFFLINE };
    clock.advance(MINUTE);
    assert.deepEqual(board.active(), [before]);
    assert.deepEqual(ran, ['raised offline/rog']);
    facts.more = {};
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual([active(), cleared], [[], ['offline/rog']]);
  });

  it('raises nothing because machines are not connected yet', async () => {
    const unknown = machine({
      status: 'degraded',
      reason: 'not connected yet',
      clock: null,
      watcher: null,
      space: null,
      cleanUp: null,
    });
    await restart({ machines: [unknown], hubSpace: null });
    clock.advance(4 * MINUTE);
    assert.deepEqual([active(), ran, told], [[], [], []]);
  });

  it('tells one that comes and goes once, and again when it was away for long', () => {
    board.start();
    for (let n = 0; n < 20; n += 1) {
      facts.more = n % 2 === 0 ? { hubSpace: LOW } : {};
      clock.advance(MINUTE);
    }
    assert.deepEqual(ran, ['raised disk']);
    clock.advance(SAME_ALERT_MS);
    facts.more = { hubSpace: LOW };
    clock.advance(MINUTE);
    assert.deepEqual(ran, ['raised disk', 'raised disk']);
  });

  it('tells one that got worse again', () => {
    board.start();
    const failures = { givenUp: 0, reason: null, inARow: 3, lastReason: 'busy' };
    facts.more = { machines: [machine({ failures })] };
    board.look();
    facts.more = { machines: [machine({ failures: { ...failures, givenUp: 1 } })] };
    board.look();
    assert.deepEqual(ran, ['raised failed/rog', 'worse failed/rog']);
    assert.deepEqual(
      told.at(-1)?.raised.map(({ severity }) => severity),
      ['error'],
    );
  });

  it('words that follow their cause reach clients, and are no news', () => {
    board.start();
    facts.more = { approvalsWaiting: 1 };
    board.look();
    facts.more = { approvalsWaiting: 2 };
    board.look();
    assert.deepEqual(told.at(-1)?.raised, []);
    assert.match(told.at(-1)?.active[0]?.message ?? '', /^2 changes/);
    assert.equal(told.length, 2);
  });

  it('a dismissed one is not shown while its cause lasts, also over a restart, and is listed', async () => {
    board.start();
    facts.more = { hubSpace: LOW, machines: OFFLINE };
    board.look();
    const dismissed = await board.dismiss('disk');
    assert.deepEqual([dismissed.dismissedAt, active()], [clock.now(), ['offline/rog']]);
    assert.deepEqual(
      told.at(-1)?.active.map(({ id }) => id),
      ['offline/rog'],
    );
    clock.advance(MINUTE);
    assert.deepEqual(await board.dismiss('disk'), dismissed, 'once is enough');
    await restart({ hubSpace: LOW, machines: OFFLINE });
    clock.advance(MINUTE);
    assert.deepEqual(active(), ['offline/rog']);
    assert.deepEqual(
      board.list(true).map(({ id, dismissedAt }) => [id, dismissedAt !== null]),
      [
        ['disk', true],
        ['offline/rog', false],
      ],
    );
    facts.more = {};
    clock.advance(SAME_ALERT_MS + MINUTE);
    facts.more = { hubSpace: LOW };
    clock.advance(MINUTE);
    assert.deepEqual(active(), ['disk']);
  });

  it('what nobody knows cannot be dismissed, and it says what can', async () => {
    board.start();
    await assert.rejects(board.dismiss('nothing/here'), (error) => {
      assert.ok(HubError.is(error, 'not-found'));
      assert.match(error.next ?? '', /claude-sync alerts --all/);
      return true;
    });
  });

  it('answers clients', async () => {
    const { requests } = createAlertService(board);
    const context = { signal: new AbortController().signal };
    board.start();
    facts.more = { hubSpace: LOW };
    board.look();
    facts.more = { approvalsWaiting: 1 };
    board.look();
    const listed = async (params: { all?: boolean }): Promise<string[]> =>
      AlertsListResult.parse(await requests['alerts/list'](params, context)).alerts.map(({ id }) => id);
    assert.deepEqual(await listed({}), ['approvals']);
    assert.deepEqual((await listed({ all: true })).sort(), ['approvals', 'disk']);
    const { alert } = await requests['alerts/dismiss']({ id: 'approvals' }, context);
    assert.deepEqual([alert.id, alert.dismissedAt], ['approvals', clock.now()]);
    assert.deepEqual(await listed({}), []);
  });

  it('facts that cannot be had leave everything as it stands; that is told once', () => {
    board.start();
    facts.more = { hubSpace: LOW };
    board.look();
    facts.failure = new Error('no facts');
    clock.advance(5 * LOOK_EVERY_MS);
    assert.deepEqual([active(), troubles], [['disk'], ['no facts']]);
    facts.failure = null;
    facts.more = {};
    clock.advance(LOOK_EVERY_MS);
    assert.deepEqual([active(), troubles], [[], ['no facts']]);
  });

  it('does nothing any more when it is stopped', async () => {
    board.start();
    await board.stop();
    board.changed();
    assert.equal(clock.armed, 0);
  });

  it('forgets what was over a month ago, also in the database', () => {
    board.start();
    facts.more = { hubSpace: LOW };
    board.look();
    facts.more = {};
    board.look();
    clock.advance(30 * 86_400_000);
    assert.deepEqual(
      [...store.alerts.values()].map(({ id }) => id),
      ['disk'],
    );
    clock.advance(2 * LOOK_EVERY_MS);
    assert.deepEqual([...store.alerts.values()], []);
  });
});
