import { linkSync, statSync, utimesSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RelativePath, Sha256, UnixMs } from '../../../core/domain.ts';
import { FileSystemError, type EntryStat, type FileSystem } from '../../ports/file-system.ts';
import type { NewFolders } from '../../replica/many/new-folders.ts';
import { someAtOnce } from '../../replica/many/many-files.ts';
import { TEMP_FOLDER } from '../../replica/private-folder.ts';
import type { CreateRequest, WriteOutcome } from '../../replica/replica.ts';
import { fileStat } from '../../replica/safe-walk.ts';
import { discardTempFolder } from '../../replica/temps.ts';
import { privateName, type TreeContext } from '../../replica/tree-context.ts';
import type { RsyncLink } from './rsync-link.ts';

const AT_ONCE = 64;
const LINKS_PER_TURN = 256;

/** What a push works with. */
export interface PushOptions {
  readonly context: TreeContext;
  readonly link: RsyncLink;
  /** Absolute claudeDir there. */
  readonly remoteFolder: string;
  /** An absolute path for a new folder on the volume of the sources. */
  readonly newFolder: () => string;
  readonly folders: NewFolders;
  /** SHA-256 of files in a folder below claudeDir, hashed there; `null` where the machine cannot. */
  readonly hashes: (folder: string, names: readonly string[]) => Promise<ReadonlyMap<string, Sha256> | null>;
}

/**
 * Creates many files with one rsync: into a folder of temps there, from which each gets its name when it is whole. rsync sees second names of
 * the hub's files in a folder of their own, so that what the archive calls them goes nowhere.
 * @returns in the order of the requests; `left` for what has to be made in another way. Nothing was made of these.
 */
export async function pushMany(
  options: PushOptions,
  requests: readonly CreateRequest[],
): Promise<readonly (WriteOutcome | 'left')[]> {
  const { context, link } = options;
  const local = options.newFolder();
  const temps = `${TEMP_FOLDER}/${privateName(context)}`;
  await mkdir(local, { mode: 0o700 });
  await context.fs.makeFolder(temps);
  try {
    const linked = await linkAll(local, requests);
    const names = [...linked.keys()];
    const worthALook = await link.transfer('push', local, join(options.remoteFolder, temps), names);
    if (!worthALook) return requests.map(() => 'left');
    const whole = await arrived(options, temps, linked);
    const outcomes = new Map<CreateRequest, WriteOutcome | 'left'>();
    await someAtOnce(whole, AT_ONCE, async (one) => {
      outcomes.set(one.request, await giveName(options, `${temps}/${one.name}`, one));
    });
    return requests.map((request) => outcomes.get(request) ?? 'left');
  } finally {
    await Promise.all([rm(local, { recursive: true, force: true }), clear(context, temps)]);
  }
}

/** A file that lies whole among the temps. */
interface Arrived {
  readonly name: string;
  readonly request: CreateRequest;
  readonly stat: EntryStat;
}

/**
 * Second names of the sources, by which they travel, with the times that the files are to have. A source that is gone, or on another volume, is
 * left out.
 */
async function linkAll(folder: string, requests: readonly CreateRequest[]): Promise<Map<string, CreateRequest>> {
  const linked = new Map<string, CreateRequest>();
  for (const [index, request] of requests.entries()) {
    if (index > 0 && index % LINKS_PER_TURN === 0) await nextTurn();
    // The executable bit, and nothing else, would have to be set by itself: there are few of these.
    if (request.source === null || request.executable) continue;
    try {
      const name = join(folder, String(index));
      linkSync(request.source, name);
      // Nothing of the hub goes by the times of its archive.
      if (!isAt(statSync(name), request.mtimeMs)) utimesSync(name, request.mtimeMs / 1000, request.mtimeMs / 1000);
      linked.set(String(index), request);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
  return linked;
}

/** What arrived as it should be: a log that grew meanwhile is longer, a file that broke off is not there. */
async function arrived(
  { context, hashes }: PushOptions,
  temps: string,
  linked: ReadonlyMap<string, CreateRequest>,
): Promise<readonly Arrived[]> {
  const whole: Arrived[] = [];
  for (const { name, ...stat } of await context.fs.list(temps)) {
    const request = linked.get(name);
    if (stat.type === 'file' && request?.size === stat.size) whole.push({ name, request, stat });
  }
  const known = whole.filter(({ request }) => request.sha256 !== null).map(({ name }) => name);
  const found = known.length === 0 ? null : await hashes(temps, known);
  if (found === null) return whole;
  return whole.filter(({ name, request }) => request.sha256 === null || found.get(name) === request.sha256);
}

/** The name, after which the file is what was seen among the temps; its time, where rsync could not give it. */
async function giveName(
  { context: { fs }, folders }: PushOptions,
  temp: string,
  { request: { path, size, mtimeMs }, stat }: Arrived,
): Promise<WriteOutcome | 'left'> {
  if (!(await folders.areThere(path))) return 'left';
  try {
    await fs.rename(temp, path);
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    // Something was there, or its folder went: the ordinary way finds out.
    return 'left';
  }
  if (isAt(stat, mtimeMs)) return { kind: 'done', stat: fileStat(stat) };
  const timed = await timedLate(fs, path, mtimeMs);
  return timed?.type === 'file' && timed.size === size ? { kind: 'done', stat: fileStat(timed) } : { kind: 'changed' };
}

/** Whether a file has a time, in the whole seconds that SFTP knows. */
function isAt(stat: { readonly mtimeMs: UnixMs }, mtimeMs: UnixMs): boolean {
  return Math.floor(stat.mtimeMs / 1000) === Math.floor(mtimeMs / 1000);
}

/** Sets the time of a file that has its name already, and looks at it. */
async function timedLate(fs: FileSystem, path: RelativePath, mtimeMs: UnixMs): Promise<EntryStat | null> {
  try {
    await fs.setTimes(path, mtimeMs);
    return await fs.lstat(path);
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    return null;
  }
}

/** Removes the folder of temps with what is left in it; without a connection the next one does. */
async function clear(context: TreeContext, temps: string): Promise<void> {
  try {
    await discardTempFolder(context, temps);
  } catch (error) {
    if (!FileSystemError.is(error)) throw error;
  }
}
