import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Head, LogCursor, Pair } from '../../../src/core/domain.ts';
import type { Store, SyncLogRow, VersionRow } from '../../../src/hub/store/store.ts';

export const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

export function head(key: string, seq: number, more: Partial<Head> = {}): Head {
  const common = { key, seq, kind: 'file', size: 10 * seq, hash: sha(key), mtimeMs: 1_700_000_000_123.25 } as const;
  return { ...common, executable: false, origin: 'rog', ...more };
}

export const CURSOR: LogCursor = {
  lineBytes: 90,
  merged: 80,
  delivered: 70,
  common: 60,
  forkKey: 'session/f',
  missing: [[10, 20]],
  cut: true,
  tailHash: sha('tail'),
  origins: { rog: 12 },
};

export function pair(machine: string, key: string, more: Partial<Pair> = {}): Pair {
  const base = {
    seq: 4,
    kind: 'file',
    hash: null,
    fileBytes: 91,
    mtimeMs: 1_700_000_000_000.5,
    inode: '1:2',
    executable: true,
    cursor: CURSOR,
  } as const;
  return {
    machine,
    key,
    path: `projects/-srv-${key}.jsonl`,
    base,
    evictedSeq: null,
    state: 'ok',
    reason: null,
    ...more,
  };
}

export function version(key: string, content: string, more: Partial<VersionRow> = {}): Omit<VersionRow, 'version'> {
  const common = {
    key,
    machine: 'mac',
    at: 1000,
    bytes: content.length,
    sha256: sha(content),
    reason: 'overwritten',
  } as const;
  return { ...common, executable: false, mtimeMs: 900.5, ...more };
}

export function logLine(more: Partial<SyncLogRow> = {}): SyncLogRow {
  const common = {
    at: 5,
    key: 'a.md',
    source: 'rog',
    target: 'mac',
    action: 'put',
    outcome: 'done',
    bytes: 7,
  } as const;
  return { ...common, durationMs: 1.5, detail: null, ...more };
}

/** Everything that a store tells, in a form that two stores can be compared by. */
export function dump(store: Store, machines: readonly string[]): unknown {
  const keys = store.heads.withPrefix('');
  return {
    heads: keys.map((key) => store.heads.get(key)),
    segments: keys.map((key) => store.heads.segments(key)),
    pairs: machines.map((machine) => [...store.pairs.ofMachine(machine)].sort((a, b) => (a.key < b.key ? -1 : 1))),
    versions: [...store.versions.all()],
    versionBytes: store.versions.totalBytes(),
    conflicts: store.conflicts.list(),
    log: store.syncLog.recent(10_000),
    totals: store.totals.all(),
    machines: [...store.machines.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    intents: machines.map((machine) => store.intents.ofMachine(machine)),
    undo: machines.map((machine) => store.undo.ofMachine(machine)),
    projects: [...store.projects.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    approvals: store.approvals.list(),
  };
}

/** A folder of its own for `use`, removed afterwards. */
export async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-sync-store-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
