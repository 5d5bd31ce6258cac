import { createHash } from 'node:crypto';
import type { Key, MachineName } from '../../core/domain.ts';
import { identifyProject } from '../../core/projects/registry.ts';
import type { Homes } from '../../core/projects/project.ts';
import type { DryRun } from '../../protocol/probe.ts';
import { GitRemotes } from '../engine/places/git-remotes.ts';
import type { Hub } from '../hub.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { readBytes } from '../replica/read-bytes.ts';
import { readOutside } from '../replica/read-outside.ts';
import { dryRun, keysToCompare } from './dry-run.ts';
import { filesByKey } from './inventory.ts';
import type { Probed } from './probe-machine.ts';

/** Most bytes that are read for a mere preview, all files together. */
const COMPARED_BYTES = 8_000_000;

/**
 * The dry run of a machine's first sync against what the hub has. Nothing is changed, here or there, and nothing is remembered.
 * @param machine the name that it is to get. @throws {FileSystemError} the connection ended meanwhile.
 */
export async function previewFirstSync(hub: Hub, machine: MachineName, probed: Probed, clock: Clock): Promise<DryRun> {
  const { store, rules, config, engine } = hub;
  const { inventory, report } = probed;
  const projects = await projectsOf(hub, machine, probed, clock);
  const { there, unplaced } = filesByKey(inventory.files, (folder) => projects.get(folder) ?? null);
  const rule = (key: Key): ReturnType<typeof rules.ofKey> =>
    rules.excludesKey(key) ? rules.ofKey('excluded') : rules.ofKey(key);
  const compared = new Map<Key, boolean>();
  let left = COMPARED_BYTES;
  for (const { key, size, hash } of keysToCompare({ there, rule, heads: store.heads.values() })) {
    const path = there.get(key)?.path;
    if (path === undefined || size > left) continue;
    left -= size;
    const found = await hashOf(probed.own, path, size);
    if (found !== null) compared.set(key, found === hash);
  }
  return dryRun({
    there,
    unplaced,
    heads: store.heads.values(),
    rule,
    compared,
    others: [...engine.links.keys()].filter((name) => name !== machine && !config.machines[name]?.paused),
    cleanUpDays: report.cleanUp.days,
    now: clock.now(),
  });
}

/** Project id by folder below `projects/`, as far as a conversation there tells it. */
async function projectsOf(
  { store, config }: Hub,
  machine: MachineName,
  { inventory, report, outside }: Probed,
  clock: Clock,
): Promise<ReadonlyMap<string, string>> {
  const { home } = report;
  const os = report.os === 'unknown' ? 'linux' : report.os;
  const homes: Record<string, Homes[string]> = { [machine]: { home, os } };
  for (const row of store.machines.values()) {
    if (row.home !== null && row.name !== machine)
      homes[row.name] = { home: row.home, os: row.os === 'windows' || row.os === 'macos' ? row.os : 'linux' };
  }
  const remotes = new GitRemotes(clock);
  const there = { machine, readOutside: (path: string) => readOutside(outside, clock, path) };
  const ids = new Map<string, string>();
  for (const { folder, path } of inventory.projects) {
    if (path === null) continue;
    const remote = await remotes.of(there, path);
    const { project } = identifyProject(
      store.projects.values(),
      { machine, path, home, os, remote },
      config.projects,
      homes,
    );
    ids.set(folder, project.id);
  }
  return ids;
}

/** `null` when it cannot be read. */
async function hashOf(own: FileSystem, path: string, size: number): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of readBytes(own, path, 0, size)) hash.update(chunk);
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
  return hash.digest('hex');
}
