import assert from 'node:assert/strict';
import { pino, type Level } from 'pino';
import type { SyncEvent } from '../../../src/hub/engine/events.ts';
import { EventLog } from '../../../src/hub/log/event-log.ts';
import type { ConflictRow } from '../../../src/hub/store/store.ts';
import { ManualClock } from '../store/manual-clock.ts';

const delivered = (more: Partial<Extract<SyncEvent, { kind: 'delivered' }>> = {}): SyncEvent => ({
  kind: 'delivered',
  machine: 'rog',
  key: 'history',
  bytes: 10,
  latencyMs: 5,
  isWhole: true,
  ...more,
});

const CONFLICT: ConflictRow = {
  id: 7,
  key: 'agents/a.md',
  at: 1,
  status: 'resolved',
  baseSha256: null,
  sides: [
    { machine: 'rog', sha256: 'a', bytes: 1, mtimeMs: 1 },
    { machine: 'hub', sha256: 'b', bytes: 1, mtimeMs: 2 },
  ],
  strategy: 'last-write-wins',
  winner: 'hub',
  resolvedAt: 1,
  resolution: null,
};

describe('what the log says of the sync', () => {
  let lines: Record<string, unknown>[];
  let clock: ManualClock;
  const logAt = (level: Level): EventLog =>
    new EventLog(
      pino(
        { level, base: null, timestamp: false },
        { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
      ),
      clock,
    );

  beforeEach(() => {
    lines = [];
    clock = new ManualClock();
  });

  it('info: one line a second and machine, however much was brought there', () => {
    const log = logAt('info');
    for (let round = 0; round < 3; round += 1) {
      for (let number = 0; number < 100; number += 1)
        log.note(delivered({ key: `agents/${number}.md`, latencyMs: number }));
      log.note(delivered({ machine: 'mac', latencyMs: null }));
      assert.equal(lines.length, round * 2, 'before the second is over');
      clock.advance(1_000);
    }
    assert.deepEqual(lines.slice(0, 2), [
      { level: 30, machine: 'rog', keys: 100, bytes: 1_000, latencyMs: 99, msg: 'synced' },
      { level: 30, machine: 'mac', keys: 1, key: 'history', bytes: 10, latencyMs: null, msg: 'synced' },
    ]);
    assert.equal(lines.length, 6);
    assert.deepEqual(lines[4], lines[0]);
  });

  it('info: pieces of one file are one file, and silence has no lines', () => {
    const log = logAt('info');
    for (let number = 0; number < 5; number += 1) log.note(delivered({ isWhole: number === 4 }));
    clock.advance(1_000);
    clock.advance(60_000);
    assert.deepEqual(lines, [
      { level: 30, machine: 'rog', keys: 1, key: 'history', bytes: 50, latencyMs: 5, msg: 'synced' },
    ]);
  });

  it('flush tells what waits, once', () => {
    const log = logAt('info');
    log.note(delivered());
    log.flush();
    log.flush();
    clock.advance(1_000);
    assert.equal(lines.length, 1);
    assert.equal(clock.armed, 0);
  });

  it('debug: every step with what it is about', () => {
    const log = logAt('debug');
    log.note({ kind: 'heard', machine: 'rog', path: 'history.jsonl' });
    log.note({ kind: 'received', machine: 'rog', bytes: 12 });
    log.note({ kind: 'taken', machine: 'rog', key: 'history' });
    log.note(delivered());
    const row = { key: 'history', source: 'rog', target: 'mac', action: 'append', outcome: 'done', bytes: 12 } as const;
    log.note({ kind: 'logged', row: { ...row, at: 1, durationMs: 3, detail: null } });
    assert.deepEqual(lines, [
      { level: 20, machine: 'rog', path: 'history.jsonl', msg: 'heard' },
      { level: 20, machine: 'rog', bytes: 12, msg: 'received' },
      { level: 20, machine: 'rog', key: 'history', msg: 'taken' },
      { level: 20, machine: 'rog', key: 'history', bytes: 10, latencyMs: 5, isWhole: true, msg: 'delivered' },
      { level: 20, ...row, durationMs: 3, detail: null, msg: 'logged' },
    ]);
  });

  it('info has no steps, warn no syncs', () => {
    const everything = (log: EventLog): void => {
      log.note({ kind: 'heard', machine: 'rog', path: 'history.jsonl' });
      log.note({ kind: 'taken', machine: 'rog', key: 'history' });
      log.note(delivered());
      log.flush();
    };
    everything(logAt('info'));
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['synced'],
    );
    lines = [];
    everything(logAt('warn'));
    assert.deepEqual(lines, []);
    assert.equal(clock.armed, 0);
  });

  it('warn: retries and machines in trouble; error: failures and conflicts, also those that are decided', () => {
    const log = logAt('info');
    log.note({ kind: 'retry', machine: 'rog', key: 'history', reason: 'disk full' });
    log.note({ kind: 'failed', machine: 'rog', key: 'history', reason: 'disk full' });
    for (const status of ['online', 'degraded', 'offline', 'paused', 'quarantined'] as const)
      log.note({ kind: 'connection', machine: 'rog', status, reason: status === 'online' ? null : 'because' });
    log.note({ kind: 'conflict', machine: 'rog', conflict: CONFLICT });
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [
        [40, 'retry'],
        [50, 'failed'],
        [30, 'machine online'],
        [40, 'machine degraded'],
        [40, 'machine offline'],
        [40, 'machine paused'],
        [40, 'machine quarantined'],
        [50, 'conflict'],
      ],
    );
    assert.deepEqual(lines[0], { level: 40, machine: 'rog', key: 'history', reason: 'disk full', msg: 'retry' });
    assert.equal(lines[4]?.['reason'], 'because');
    assert.deepEqual(lines[7], {
      level: 50,
      machine: 'rog',
      key: 'agents/a.md',
      machines: ['rog', 'hub'],
      strategy: 'last-write-wins',
      status: 'resolved',
      winner: 'hub',
      conflict: 7,
      msg: 'conflict',
    });
  });
});
