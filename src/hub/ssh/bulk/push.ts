import { linkSync } from 'node:fs';
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
    await someAtOnce([...whole], AT_ONCE, async ([name, request]) => {
      outcomes.set(request, await giveName(options, `${temps}/${name}`, request));
    });
    return requests.map((request) => outcomes.get(request) ?? 'left');
  } finally {
    await Promise.all([rm(local, { recursive: true, force: true }), clear(context, temps)]);
  }
}

/** Second names of the sources, by which they travel. A source that is gone, or on another volume, is left out. */
async function linkAll(folder: string, requests: readonly CreateRequest[]): Promise<Map<string, CreateRequest>> {
  const linked = new Map<string, CreateRequest>();
  for (const [index, request] of requests.entries()) {
    if (index > 0 && index % LINKS_PER_TURN === 0) await nextTurn();
    // The executable bit, and nothing else, would have to be set by itself: there are few of these.
    if (request.source === null || request.executable) continue;
    try {
      linkSync(request.source, join(folder, String(index)));
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
): Promise<Map<string, CreateRequest>> {
  const whole = new Map<string, CreateRequest>();
  for (const { name, type, size } of await context.fs.list(temps)) {
    const request = linked.get(name);
    if (type === 'file' && request?.size === size) whole.set(name, request);
  }
  const known = [...whole].filter(([, { sha256 }]) => sha256 !== null).map(([name]) => name);
  const found = known.length === 0 ? null : await hashes(temps, known);
  if (found === null) return whole;
  for (const name of known) if (found.get(name) !== whole.get(name)?.sha256) whole.delete(name);
  return whole;
}

/** One burst: the time, the name, and what is there then. */
async function giveName(
  { context: { fs }, folders }: PushOptions,
  temp: string,
  { path, size, mtimeMs }: CreateRequest,
): Promise<WriteOutcome | 'left'> {
  if (!(await folders.areThere(path))) return 'left';
  const [timed, renamed, there] = await Promise.allSettled([
    fs.setTimes(temp, mtimeMs),
    fs.rename(temp, path),
    fs.lstat(path),
  ]);
  for (const one of [timed, renamed, there]) {
    if (one.status === 'fulfilled') continue;
    if (!FileSystemError.is(one.reason) || one.reason.code === 'disconnected') throw one.reason;
  }
  // Something was there, or its folder went: the ordinary way finds out.
  if (renamed.status === 'rejected') return 'left';
  const seen = there.status === 'fulfilled' ? there.value : null;
  const stat = timed.status === 'fulfilled' ? seen : await timedLate(fs, path, mtimeMs);
  return stat?.type === 'file' && stat.size === size ? { kind: 'done', stat: fileStat(stat) } : { kind: 'changed' };
}

/**
 * Sets the time of a file that has its name already, and looks at it: a server that knows no times without following links (OpenSSH before
 * 8.0) has to be asked twice, and the temp was renamed between.
 */
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
