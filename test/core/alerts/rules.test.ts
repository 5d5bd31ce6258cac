import assert from 'node:assert/strict';
import type { Finding } from '../../../src/core/alerts/alert.ts';
import { dueForCleanUp } from '../../../src/core/alerts/clean-up.ts';
import type { HealthFacts, MachineFacts } from '../../../src/core/alerts/facts.ts';
import { findingsOf } from '../../../src/core/alerts/rules.ts';
import { facts, machine, NOW } from './well.ts';

/** Finds, with the findings of before as what stands. */
function look(given: HealthFacts, before: readonly Finding[] = []): Finding[] {
  return findingsOf(given, (id) => before.find((finding) => finding.id === id));
}

const of = (more: Partial<MachineFacts>): HealthFacts => facts({ machines: [machine(more)] });
const ids = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);
const space = (percent: number): { freeBytes: number; totalBytes: number } => ({
  freeBytes: percent * 1e9,
  totalBytes: 100e9,
});
const fails = (givenUp: number, inARow: number): MachineFacts['failures'] => ({
  givenUp,
  reason: givenUp > 0 ? 'the disk of rog is full' : null,
  inARow,
  lastReason: inARow > 0 ? 'busy' : null,
});
const watched = (state: 'missing' | 'limit' | 'trouble'): MachineFacts['watcher'] => ({ state, reason: 'r', fix: 'f' });
const DAY = 86_400_000;
const conflictRows = (count: number): HealthFacts['conflicts'] =>
  Array.from({ length: count }, (_, n) => ({
    id: n + 1,
    key: `agents/${n}.md`,
    machines: ['rog', 'mac'],
    winner: null,
  }));
const recent = (count: number, at = NOW): HealthFacts['recentConflicts'] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, key: 'agents/a.md', at }));
const retention = { forced: 0, stillOver: false, bytesAfter: 9, keepDays: 90, maxBytes: 5 };

/** What raises an alert, what just does not, and what clears it where that is another limit. */
const RULES: readonly {
  readonly id: string;
  readonly raised: HealthFacts;
  readonly says: RegExp;
  readonly next: RegExp;
  readonly quiet: readonly HealthFacts[];
  /** Raises nothing, but keeps what stands. */
  readonly stays?: readonly HealthFacts[];
}[] = [
  {
    id: 'offline/rog',
    raised: of({ status: 'offline', reason: 'no route', next: 'Look at the network.' }),
    says: /rog has been out of reach for more than 5 minutes: no route/,
    next: /network/,
    quiet: [of({ status: 'online' }), of({ status: 'paused' }), facts({ machines: [] })],
    stays: [of({ status: 'degraded', reason: 'not connected yet' })],
  },
  {
    id: 'quarantine/rog',
    raised: of({ status: 'quarantined', reason: '40 files were deleted', next: 'claude-sync machines resume rog' }),
    says: /40 files/,
    next: /^claude-sync machines resume rog$/,
    quiet: [of({ status: 'online' }), of({ status: 'offline' })],
  },
  {
    id: 'failed/rog',
    raised: of({ failures: fails(2, 0) }),
    says: /2 files could not be brought level on rog after three tries \(the disk of rog is full\)/,
    next: /claude-sync doctor/,
    quiet: [of({ failures: fails(0, 2) })],
  },
  {
    id: 'failed/rog',
    raised: of({ failures: fails(0, 3) }),
    says: /3 tries in a row failed on rog \(busy\)/,
    next: /claude-sync doctor/,
    quiet: [of({ failures: fails(0, 0) })],
  },
  {
    id: 'disk/rog',
    raised: of({ space: space(9.9) }),
    says: /only 9 % is free on the disk of rog/,
    next: /room/,
    quiet: [of({ space: space(12) })],
    stays: [of({ space: space(10) }), of({ space: space(11.9) }), of({ space: null })],
  },
  {
    id: 'disk',
    raised: facts({ hubSpace: space(5) }),
    says: /disk of the hub/,
    next: /claude-sync where/,
    quiet: [facts({ hubSpace: space(12) })],
    stays: [facts({ hubSpace: space(11) }), facts({ hubSpace: null })],
  },
  {
    id: 'hub-disk',
    raised: facts({ diskTrouble: 'no space left' }),
    says: /refuses writes: no space left/,
    next: /Make room/,
    quiet: [facts()],
  },
  {
    id: 'configuration',
    raised: facts({ configuration: { problem: 'line 1\nline 2', file: '/c.json' } }),
    says: /line 1; line 2/,
    next: /Correct \/c\.json/,
    quiet: [facts()],
  },
  {
    id: 'clock/rog',
    raised: of({ clock: { offsetMs: -61_000, fix: 'set it' } }),
    says: /61 s behind the hub's/,
    next: /set it/,
    quiet: [of({ clock: { offsetMs: 49_999, fix: 'set it' } })],
    stays: [
      of({ clock: { offsetMs: 60_000, fix: 'x' } }),
      of({ clock: { offsetMs: -50_000, fix: 'x' } }),
      of({ clock: null }),
    ],
  },
  {
    id: 'watcher/rog',
    raised: of({ watcher: watched('missing') }),
    says: /nothing on rog can watch folders/,
    next: /^f$/,
    quiet: [of({})],
    stays: [of({ watcher: null })],
  },
  {
    id: 'watcher/rog',
    raised: of({ watcher: watched('limit') }),
    says: /at its limit: r/,
    next: /^f$/,
    quiet: [of({})],
  },
  {
    id: 'clean-up/rog',
    raised: of({ cleanUp: { days: 30, sessions: 2, earliestAt: NOW + DAY } }),
    says: /after 30 days: 2 sessions that no other machine has will go within 3 days, the first on 2023-11-15/,
    next: /cleanupPeriodDays/,
    quiet: [of({ cleanUp: { days: 30, sessions: 0, earliestAt: null } })],
    stays: [of({ cleanUp: null })],
  },
  {
    id: 'conflict/1',
    raised: facts({ conflicts: conflictRows(1) }),
    says: /agents\/0\.md was changed on rog and mac/,
    next: /claude-sync conflicts show 1 shows them; claude-sync conflicts resolve 1 --keep rog keeps that of rog \(else name mac\)/,
    quiet: [facts()],
  },
  {
    id: 'loop/agents/a.md',
    raised: facts({ recentConflicts: recent(5) }),
    says: /5 conflicts within ten minutes/,
    next: /claude-sync conflicts show 5/,
    quiet: [facts({ recentConflicts: recent(4) }), facts({ recentConflicts: recent(9, NOW - 600_000) })],
  },
  {
    id: 'loop/agents/it is.md',
    raised: facts({ alternations: [{ key: 'agents/it is.md', machines: ['mac', 'rog'] }] }),
    says: /now on one machine, now on another \(mac, rog\)/,
    next: /claude-sync versions 'agents\/it is\.md' lists/,
    quiet: [facts()],
  },
  {
    id: 'approvals',
    raised: facts({ approvalsWaiting: 1 }),
    says: /1 change of executable content waits/,
    next: /^claude-sync approve$/,
    quiet: [facts()],
  },
  {
    id: 'versions-limit',
    raised: facts({ retention: { ...retention, forced: 1, stillOver: true } }),
    says: /^1 versions younger than 90 days were removed.*; the versions that must be kept take 9 bytes/,
    next: /versions\.maxBytes/,
    quiet: [facts({ retention }), facts({ retention: null })],
  },
  {
    id: 'damaged/agents/a.md',
    raised: facts({ damaged: [{ key: 'agents/a.md', what: 'it is shorter' }] }),
    says: /file of agents\/a\.md is damaged \(it is shorter\)/,
    next: /claude-sync versions agents\/a\.md/,
    quiet: [facts()],
  },
  {
    id: 'mended',
    raised: facts({ mended: 2 }),
    says: /2 of the hub's own files were damaged/,
    next: /disk/,
    quiet: [facts()],
  },
];

describe('what alerts are raised by', () => {
  it('nothing is raised when all is well', () => assert.deepEqual(look(facts()), []));

  for (const { id, raised, says, next, quiet, stays = [] } of RULES) {
    it(`${id}: ${String(says)}`, () => {
      const found = look(raised);
      assert.deepEqual(ids(found), [id]);
      const [alert] = found;
      assert.match(alert?.message ?? '', says);
      assert.match(alert?.next ?? '', next);
      assert.notEqual(alert?.unaffected, '');
      for (const given of quiet) {
        assert.equal(ids(look(given)).includes(id), false);
        assert.equal(ids(look(given, found)).includes(id), false, 'it clears');
      }
      for (const given of stays) {
        assert.equal(ids(look(given)).includes(id), false);
        assert.ok(ids(look(given, found)).includes(id), 'it stays');
      }
    });
  }

  it('ten conflicts are named, the rest is counted', () => {
    assert.equal(look(facts({ conflicts: conflictRows(10) })).length, 10);
    const found = look(facts({ conflicts: conflictRows(25) }));
    assert.deepEqual(ids(found).slice(9), ['conflict/10', 'conflicts/more']);
    assert.match(found[10]?.message ?? '', /^15 more conflicts/);
    assert.match(look(facts({ conflicts: conflictRows(11) })).at(-1)?.message ?? '', /^1 more conflict needs/);
  });

  it('ten damaged files are named, the rest is counted', () => {
    const damaged = Array.from({ length: 12 }, (_, n) => ({ key: `k${n}`, what: 'x' }));
    assert.deepEqual(ids(look(facts({ damaged }))).slice(9), ['damaged/k9', 'damaged-more']);
  });

  it('files that were given up on are worse than tries that failed', () => {
    const [row] = look(of({ failures: fails(0, 3) }));
    const [given] = look(of({ failures: fails(1, 3) }));
    assert.deepEqual([row?.severity, given?.severity, row?.id === given?.id], ['warning', 'error', true]);
  });

  it('a try that fails like the last one has the same words, whatever the hub called its file', () => {
    const message = (temp: string): string | undefined => {
      const reason = `rename ~/.claude/.claude-sync/undo/${temp}: not permitted`;
      return look(of({ failures: { ...fails(1, 3), reason } }))[0]?.message;
    };
    assert.equal(message('2-340ea0ae39684938'), message('3-9fba0176d528f34e'));
    assert.match(message('2-340ea0ae39684938') ?? '', /not permitted/);
  });

  it('old sessions of an only machine are no cause for alarm', () => {
    const cleanUp = { days: 30, sessions: 2, earliestAt: NOW + DAY };
    const severity = (machines: MachineFacts[]): string | undefined => look(facts({ machines }))[0]?.severity;
    assert.equal(severity([machine({ cleanUp })]), 'info');
    assert.equal(severity([machine({ cleanUp }), machine({ name: 'mac' })]), 'warning');
  });

  it('a conflict that is in force says whose side is', () => {
    const found = look(facts({ conflicts: [{ id: 1, key: 'k', machines: ['rog', 'mac'], winner: 'mac' }] }));
    assert.match(found[0]?.message ?? '', /that of mac is in force/);
  });

  it('sessions count that are deleted within three days, and those that are overdue', () => {
    const at = (days: number): number => NOW - days * DAY;
    assert.deepEqual(dueForCleanUp([at(1), at(26.9), at(27), at(40)], 30, NOW), {
      days: 30,
      sessions: 2,
      earliestAt: at(40) + 30 * DAY,
    });
    assert.deepEqual(dueForCleanUp([at(40)], 365, NOW), { days: 365, sessions: 0, earliestAt: null });
    const [due] = look(of({ cleanUp: dueForCleanUp([at(40)], 30, NOW) }));
    assert.match(due?.message ?? '', /1 session that no other machine has will go within 3 days, at its next start/);
  });
});
