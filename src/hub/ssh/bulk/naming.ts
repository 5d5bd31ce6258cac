import type { MachineOs, RelativePath, UnixMs } from '../../../core/domain.ts';
import { unwritableReason } from '../../../core/keys/safe-path.ts';
import { FileSystemError, type EntryStat, type FileSystem } from '../../ports/file-system.ts';
import { someAtOnce } from '../../replica/many/many-files.ts';
import type { NewFolders } from '../../replica/many/new-folders.ts';
import type { CreateRequest, WriteOutcome } from '../../replica/replica.ts';
import { fileStat, refusedPath } from '../../replica/safe-walk.ts';
import type { Attempt } from './attempt.ts';
import { filesOf, giveNames } from './temp-tree.ts';

const AT_ONCE = 64;

/** A file that lies whole among the temps. */
export interface Arrived {
  /** In the folder of temps. */
  readonly name: RelativePath;
  readonly request: CreateRequest;
  readonly stat: EntryStat;
}

/** What became of requests. Those that are not in it are left for another way, which finds the few that have their names without anybody's knowing it. */
export type Outcomes = ReadonlyMap<CreateRequest, WriteOutcome>;

/** How files get their names that lie among the temps of a machine. Nothing that has a name is ever replaced. */
export interface Naming {
  /** Everything that lies there is named together: nobody may be writing there any more. */
  readonly isForAll: boolean;
  /** What a file is called among the temps; `null` when it may not have its name. */
  nameOf(request: CreateRequest, index: number): RelativePath | null;
  /** What lies there, by those names. */
  list(temps: RelativePath): Promise<ReadonlyMap<RelativePath, EntryStat>>;
  /** @param others lie there as well and are to have no name. */
  giveNames(temps: RelativePath, whole: readonly Arrived[], others: readonly RelativePath[]): Promise<Outcomes>;
}

/** Each by a rename over SFTP, which does not replace anything. The temps have numbers for names. */
export function overSftp(fs: FileSystem, folders: NewFolders): Naming {
  return {
    isForAll: false,
    nameOf: (_, index) => String(index),
    async list(temps) {
      const entries = await fs.list(temps);
      return new Map(entries.flatMap(({ name, ...stat }) => (stat.type === 'file' ? [[name, stat]] : [])));
    },
    async giveNames(temps, whole) {
      const outcomes = new Map<CreateRequest, WriteOutcome>();
      await someAtOnce(whole, AT_ONCE, async (one) => {
        const { path } = one.request;
        if (!(await folders.areThere(path)) || !(await renamed(fs, `${temps}/${one.name}`, path))) return;
        outcomes.set(one.request, await timed(fs, one));
      });
      return outcomes;
    },
  };
}

/** All with one command, on a Linux machine that tells all names apart. The temps lie in a tree like the one that they are for. */
export function withOneCommand(
  fs: FileSystem,
  os: MachineOs,
  there: { readonly attempt: Attempt; readonly root: string },
): Naming {
  return {
    isForAll: true,
    nameOf: ({ path }) => (refusedPath(path) === null && unwritableReason(path, os) === null ? path : null),
    async list(temps) {
      const files = await filesOf({ ...there, temps });
      return new Map((files ?? []).map(({ path, ...stat }) => [path, stat]));
    },
    async giveNames(temps, whole, others) {
      const named = await giveNames({ ...there, temps }, whole.length, others);
      const outcomes = new Map<CreateRequest, WriteOutcome>();
      await someAtOnce(
        whole.filter(({ name }) => named.has(name)),
        AT_ONCE,
        async (one) => void outcomes.set(one.request, await timed(fs, one)),
      );
      return outcomes;
    },
  };
}

/** @returns `false` when something was there, or its folder went: the ordinary way finds out. */
async function renamed(fs: FileSystem, temp: RelativePath, path: RelativePath): Promise<boolean> {
  try {
    await fs.rename(temp, path);
    return true;
  } catch (error) {
    if (!FileSystemError.is(error) || error.code === 'disconnected') throw error;
    return false;
  }
}

/** The file is what was seen among the temps; its time is set, where rsync could not give it. */
async function timed(fs: FileSystem, { request, stat }: Arrived): Promise<WriteOutcome> {
  const { path, size, mtimeMs } = request;
  if (isAt(stat, mtimeMs)) return { kind: 'done', stat: fileStat(stat) };
  const late = await timedLate(fs, path, mtimeMs);
  return late?.type === 'file' && late.size === size ? { kind: 'done', stat: fileStat(late) } : { kind: 'changed' };
}

/** Whether a file has a time, in the whole seconds that SFTP knows. */
export function isAt(stat: { readonly mtimeMs: UnixMs }, mtimeMs: UnixMs): boolean {
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
