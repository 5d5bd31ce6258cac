import type { Rules } from '../../core/rules/classify.ts';
import type { ProbeReport } from '../../protocol/probe.ts';
import type { SshMachineConfig } from '../config/schema.ts';
import type { Clock } from '../ports/clock.ts';
import { FileSystemError, type FileSystem } from '../ports/file-system.ts';
import { wirePath } from '../ssh/drive-path.ts';
import { serverName } from '../ssh/failures.ts';
import { rsyncVersion } from '../ssh/rsync.ts';
import type { SshSession } from '../ssh/session.ts';
import { lackedExtensions, rsyncAdvice, watcherAdvice } from './advice.ts';
import { cleanUpAge, readSettings, SettingsRefused, type CleanUpAge } from './clean-up-age.ts';
import { takeInventory, type Inventory } from './inventory.ts';
import { filesOf, folderState, remoteClockOffset, remoteWatchLimit } from './remote-facts.ts';

/** What a look at a machine found. */
export interface Probed {
  readonly report: ProbeReport;
  readonly inventory: Inventory;
  /** Rooted at claudeDir. */
  readonly own: FileSystem;
  /** Rooted at '/'. */
  readonly outside: FileSystem;
}

/** Project names and refused files in a report. */
const MOST_PROJECTS = 24;
const MOST_UNREADABLE = 10;

/**
 * Looks at everything that matters for syncing a machine; nothing is written there.
 * @throws {SshFailure} {FileSystemError} the connection ended meanwhile.
 */
export async function probeMachine(
  session: SshSession,
  config: SshMachineConfig,
  { rules, clock }: { readonly rules: Rules; readonly clock: Clock },
): Promise<Probed> {
  const { facts, probe } = session;
  const outside = filesOf(session, '/');
  const own = filesOf(session, facts.claudeDir);
  const state = await folderState(outside, facts.claudeDir);
  const isPresent = state === 'present';
  const [inventory, cleanUp, space, watchLimit, clockOffsetMs, here] = await Promise.all([
    isPresent ? takeInventory(own, rules, clock) : EMPTY,
    isPresent ? cleanUpThere(own) : cleanUpAge(null),
    spaceBelow(outside, isPresent ? facts.claudeDir : facts.home),
    facts.os === 'linux' ? remoteWatchLimit(outside) : null,
    probe === null ? null : remoteClockOffset(session.commands, clock),
    rsyncVersion(),
  ]);
  const known = inventory.projects.flatMap(({ path, sessions }) => (path === null ? [] : [{ path, sessions }]));
  const rsync = rsyncAdvice(facts.os, probe, here);
  return {
    inventory,
    own,
    outside,
    report: {
      server: serverName(session.settings),
      os: facts.os,
      architecture: probe === null || probe.architecture === '' ? null : probe.architecture,
      home: facts.home,
      claudeDir: { path: facts.claudeDir, state },
      hasShell: probe !== null,
      watcher: watcherAdvice(facts.os, probe, config.watch),
      rsync: config.rsync === 'never' ? { ...rsync, fix: null } : rsync,
      sessions: inventory.sessions,
      projects: { total: inventory.projects.length, known: known.slice(0, MOST_PROJECTS) },
      synced: { files: inventory.files.size, bytes: inventory.bytes },
      unreadable: [...inventory.unreadable].slice(0, MOST_UNREADABLE).map(([path, reason]) => ({ path, reason })),
      cleanUp,
      clockOffsetMs,
      space,
      lacks: lackedExtensions(session.channel),
      watchLimit,
    },
  };
}

const EMPTY: Inventory = { files: new Map(), bytes: 0, sessions: 0, projects: [], unreadable: new Map() };

async function cleanUpThere(own: FileSystem): Promise<CleanUpAge> {
  try {
    return cleanUpAge(await readSettings(own));
  } catch (error) {
    if (error instanceof SettingsRefused) return { ...cleanUpAge(null), problem: error.message };
    if (FileSystemError.is(error) && error.code !== 'disconnected')
      return { ...cleanUpAge(null), problem: `settings.json cannot be read: ${error.code}` };
    throw error;
  }
}

async function spaceBelow(
  outside: FileSystem,
  folder: string,
): Promise<{ freeBytes: number; totalBytes: number } | null> {
  try {
    return await outside.space(wirePath(folder).slice(1));
  } catch (error) {
    if (FileSystemError.is(error) && error.code !== 'disconnected') return null;
    throw error;
  }
}
