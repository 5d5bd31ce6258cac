import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findHub } from '../../src/client/find-hub.ts';
import { HubMirror, type HubState } from '../../src/client/hub-mirror.ts';
import { escapeMarkdown, localTime } from '../../src/extension/figures.ts';
import { failureText } from '../../src/extension/failure-text.ts';
import { statusText as textOf, type StatusText } from '../../src/extension/status/status-text.ts';
import { HubError } from '../../src/protocol/errors.ts';
import type { StatusResult } from '../../src/protocol/status.ts';

const machine: StatusResult['machines'][number] = {
  name: 'rog',
  role: 'spoke',
  os: 'linux',
  status: 'online',
  lastSeenAt: 0,
  lastSyncAt: 0,
  files: 0,
  bytes: 0,
  pending: 0,
  watcher: 'chokidar',
  latencyMs: { p50: 0, p99: 0 },
  reason: null,
};

const running = (over: Partial<StatusResult>): HubState => ({
  kind: 'running',
  status: {
    hub: { pid: 1, version: '0.1.0', startedAt: 0, uptimeMs: 0 },
    inSync: true,
    machines: [machine, { ...machine, name: 'mac' }],
    conflicts: { open: 0 },
    alerts: [],
    totals: { syncs: 0, failed: 0, successRate: 1, bytesSent: 0, bytesReceived: 0, bytesPerSecond: 0 },
    ...over,
  },
});

const statusText = (state: HubState): StatusText => textOf(state, null);

describe('the status item of the extension', () => {
  it('says "in sync" only when the hub does', () => {
    assert.equal(statusText(running({})).text, '$(sync) In sync');
    for (const state of [running({ inSync: false }), { kind: 'connecting' }, { kind: 'not-running' }] as const) {
      assert.doesNotMatch(statusText(state).text, /In sync/);
    }
  });

  it('puts what needs the user first, and names the machine and the reason', () => {
    assert.match(statusText(running({ conflicts: { open: 2 } })).text, /warning.*2 conflicts/);
    const stopped = running({
      inSync: false,
      machines: [{ ...machine, status: 'quarantined', pending: 3, reason: 'emptied' }, machine],
    });
    assert.equal(statusText(stopped).lines[0], 'rog: quarantined, 3 pending (emptied)');
  });

  it('is exactly one of its states, the most urgent first', () => {
    const alert = {
      id: 'a',
      severity: 'warning',
      message: 'm',
      unaffected: 'u',
      next: null,
      machine: null,
      key: null,
      at: 0,
    } as const;
    const away = { ...machine, status: 'offline' } as const;
    const busy = { ...machine, pending: 3 };
    const kinds = (states: readonly Partial<StatusResult>[]): string[] =>
      states.map((one) => statusText(running(one)).kind);
    assert.deepEqual(
      kinds([
        { inSync: false, conflicts: { open: 1 }, alerts: [alert], machines: [away, busy] },
        { inSync: false, alerts: [alert], machines: [away, busy] },
        { inSync: false, machines: [away, busy] },
        { inSync: false, machines: [machine, busy] },
        { inSync: false },
        {},
        { alerts: [{ ...alert, severity: 'info' }] },
        { machines: [away], alerts: [{ ...alert, machine: away.name }] },
        { machines: [machine] },
        { approvals: { waiting: 1 } },
      ]),
      ['conflict', 'alert', 'offline', 'syncing', 'behind', 'in-sync', 'in-sync', 'offline', 'alone', 'conflict'],
    );
    assert.equal(statusText({ kind: 'connecting' }).kind, 'looking');
    assert.equal(statusText({ kind: 'not-running' }).kind, 'stopped');
    assert.equal(statusText({ kind: 'trouble', message: 'm', next: null }).kind, 'trouble');
  });

  it('shows each machine with its last sync and latency, and what waits for the user before them', () => {
    const seen = { ...machine, lastSyncAt: 1_700_000_000_000, latencyMs: { p50: 4, p99: 19 } };
    const { lines, text, actions } = statusText(
      running({ machines: [seen, machine], conflicts: { open: 1 }, approvals: { waiting: 2 } }),
    );
    assert.deepEqual(lines, [
      '1 conflict for you to decide',
      '2 files waiting for your approval',
      `rog: online, last sync ${localTime(1_700_000_000_000)}, latency 4 ms`,
      'rog: online',
    ]);
    assert.equal(text, '$(warning) 3 decisions');
    assert.equal(actions[0]?.command, 'claudeSync.conflicts.focus');
  });

  it('says where the hub is when that is another machine', () => {
    assert.equal(textOf(running({}), 'me@far:22').lines[0], 'The hub is on me@far:22.');
  });

  it('shows in its tooltip no markup of what machines say', () => {
    assert.equal(
      escapeMarkdown('[a](command:b) $(bug) <i>&amp;'),
      '\\[a\\]\\(command\\:b\\) \\$\u2060\\(bug\\) \\<i\\>\\&amp\\;',
    );
  });

  it('leads to the next step where there is no other machine', () => {
    const { text, actions } = statusText(running({ machines: [machine] }));
    assert.deepEqual([text, actions[0]?.command], ['$(add) Add a machine', 'claudeSync.addMachine']);
  });

  it('shows what machines say as harmless text', () => {
    const hostile = { ...machine, reason: 'two\nlines \u001b[31m' };
    const [line = ''] = statusText(running({ machines: [hostile, machine] })).lines;
    assert.doesNotMatch(line, /\p{Cc}/u);
  });

  it('without a hub says that it is not running and what to do', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'extension-'));
    const who = { client: 'test', version: '0.1.0' };
    const mirror = new HubMirror({ connect: () => findHub(dataDir, who), onChange: () => undefined });
    await mirror.refresh();
    mirror.dispose();
    await rm(dataDir, { recursive: true });
    assert.deepEqual(mirror.state, { kind: 'not-running' });
    assert.equal(statusText({ kind: 'not-running' }).actions[0]?.command, 'claudeSync.startHub');
  });
});

describe('a failure that the extension shows', () => {
  it('says what was tried, what is unchanged and what to do', () => {
    const error = new HubError('refused', 'it cannot be done', { unchanged: 'Nothing was changed.', next: 'Do this.' });
    assert.equal(failureText(error), 'Claude Sync: It cannot be done. Nothing was changed. Do this.');
    assert.equal(failureText(new HubError('refused', 'No way.')), 'Claude Sync: No way.');
    assert.equal(failureText(new Error('no such file')), 'Claude Sync: No such file');
  });
});
