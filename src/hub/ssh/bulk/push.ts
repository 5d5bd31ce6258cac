import { linkSync, mkdirSync, statSync, utimesSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Sha256 } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { TEMP_FOLDER } from '../../replica/private-folder.ts';
import type { CreateRequest, WriteOutcome } from '../../replica/replica.ts';
import { discardTempFolder } from '../../replica/temps.ts';
import { privateName, type TreeContext } from '../../replica/tree-context.ts';
import { isAt, type Arrived, type Naming } from './naming.ts';
import type { RsyncLink } from './rsync-link.ts';

const LINKS_PER_TURN = 256;

/** What a push works with. */
export interface PushOptions {
  readonly context: TreeContext;
  readonly link: RsyncLink;
  /** Absolute claudeDir there. */
  readonly remoteFolder: string;
  /** An absolute path for a new folder on the volume of the sources. */
  readonly newFolder: () => string;
  readonly naming: Naming;
  /** SHA-256 of files in a folder below claudeDir, hashed there; `null` where the machine cannot. */
  readonly hashes: (folder: string, names: readonly string[]) => Promise<ReadonlyMap<string, Sha256> | null>;
}

/**
 * Creates many files with one rsync: into a folder of temps there, from which each gets its name when it is whole. rsync sees second names of
 * the hub's files in a folder of their own, so that what the archive calls them goes nowhere.
 * @returns in the order of the requests; `left` for what has to be made in another way, which replaces nothing either: a command that broke off
 *   may have made some of these.
 */
export async function pushMany(
  options: PushOptions,
  requests: readonly CreateRequest[],
): Promise<readonly (WriteOutcome | 'left')[]> {
  const { context, link, naming } = options;
  const local = options.newFolder();
  const temps = `${TEMP_FOLDER}/${privateName(context)}`;
  await mkdir(local, { mode: 0o700 });
  await context.fs.makeFolder(temps);
  try {
    const linked = await linkAll(local, requests, naming);
    const names = [...linked.keys()];
    const transfer = await link.transfer('push', local, join(options.remoteFolder, temps), names);
    // The rsync there may not have heard of the end yet.
    const isOver = transfer === 'ended' || (transfer === 'broken' && !naming.isForAll);
    if (!isOver) return requests.map(() => 'left');
    const { whole, others } = await arrived(options, temps, linked);
    const outcomes = await naming.giveNames(temps, whole, others);
    return requests.map((request) => outcomes.get(request) ?? 'left');
  } finally {
    await Promise.all([rm(local, { recursive: true, force: true }), clear(context, temps)]);
  }
}

/**
 * Second names of the sources, by which they travel, with the times that the files are to have. A source that is gone, or on another volume, is
 * left out.
 */
async function linkAll(
  folder: string,
  requests: readonly CreateRequest[],
  naming: Naming,
): Promise<Map<string, CreateRequest>> {
  const linked = new Map<string, CreateRequest>();
  const made = new Set([folder]);
  for (const [index, request] of requests.entries()) {
    if (index > 0 && index % LINKS_PER_TURN === 0) await nextTurn();
    const temp = naming.nameOf(request, index);
    // The executable bit, and nothing else, would have to be set by itself: there are few of these.
    if (temp === null || request.source === null || request.executable) continue;
    try {
      const name = join(folder, temp);
      makeFolderOnce(dirname(name), made);
      linkSync(request.source, name);
      // Nothing of the hub goes by the times of its archive.
      if (!isAt(statSync(name), request.mtimeMs)) utimesSync(name, request.mtimeMs / 1000, request.mtimeMs / 1000);
      linked.set(temp, request);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
  return linked;
}

function makeFolderOnce(folder: string, made: Set<string>): void {
  if (made.has(folder)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  made.add(folder);
}

/** What arrived as it should be, and the names of what did not: a log that grew meanwhile is longer, a file that broke off is elsewhere. */
async function arrived(
  { hashes, naming }: PushOptions,
  temps: string,
  linked: ReadonlyMap<string, CreateRequest>,
): Promise<{ readonly whole: readonly Arrived[]; readonly others: readonly string[] }> {
  const whole: Arrived[] = [];
  const others: string[] = [];
  const known = [...linked].filter(([, { sha256 }]) => sha256 !== null).map(([name]) => name);
  const [there, found] = await Promise.all([naming.list(temps), known.length === 0 ? null : hashes(temps, known)]);
  for (const [name, stat] of there) {
    const request = linked.get(name);
    const isWhole =
      request?.size === stat.size && (request.sha256 === null || found === null || found.get(name) === request.sha256);
    if (isWhole) whole.push({ name, request, stat });
    else others.push(name);
  }
  return { whole, others };
}

/** Removes the folder of temps with what is left in it; without a connection the next one does. */
async function clear(context: TreeContext, temps: string): Promise<void> {
  try {
    await discardTempFolder(context, temps);
  } catch (error) {
    if (!FileSystemError.is(error)) throw error;
  }
}
