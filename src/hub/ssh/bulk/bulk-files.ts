import { join } from 'node:path';
import type { Look, MachineOs, RelativePath } from '../../../core/domain.ts';
import type { CopyThreads } from '../../replica/many/copy-threads.ts';
import { inBursts } from '../../replica/many/in-bursts.ts';
import { withOthers, type ManyFiles } from '../../replica/many/many-files.ts';
import { NewFolders } from '../../replica/many/new-folders.ts';
import type { TreeContext } from '../../replica/tree-context.ts';
import type { Attempt } from './attempt.ts';
import { overSftp, withOneCommand, type Naming } from './naming.ts';
import { pullMany } from './pull.ts';
import { pushMany, type PushOptions } from './push.ts';
import { remoteLooks } from './remote-looks.ts';
import type { RsyncLink } from './rsync-link.ts';
import { treeLister, type listTree } from './tree-listing.ts';

/** Fewer files take less time over SFTP than rsync takes to begin. */
const WORTH_RSYNC = 150;
/** Fewer are looked at over SFTP in less time than a command takes to begin. */
const WORTH_A_COMMAND = 100;

/** What many files of a machine over SSH go by. */
export interface BulkFilesOptions {
  readonly link: RsyncLink;
  /** Absolute claudeDir there. */
  readonly claudeDir: string;
  /** Absolute folder of the hub on the volume of its archive, in which nothing outlives the process. */
  readonly staging: string;
  readonly threads: CopyThreads;
  readonly hashes: PushOptions['hashes'];
  /** For a Linux machine; `null` where there is none, or no shell. */
  readonly linux: () => Attempt | null;
  /** See `listTree`, below a folder of claudeDir; `null` where the machine cannot, or has to say that something is in the way. */
  readonly listTree: (below: RelativePath, names: readonly string[]) => ReturnType<typeof listTree>;
}

/** Hundreds of files go by rsync where both sides have it, fewer in bursts over SFTP, and so does what rsync leaves. */
export function bulkFiles(context: TreeContext, os: MachineOs, options: BulkFilesOptions): ManyFiles {
  const bursts = inBursts(context, os);
  const { link, claudeDir, staging, threads, hashes, linux } = options;

  function naming(): Naming {
    const attempt = context.foldsNames() ? null : linux();
    return attempt === null
      ? overSftp(context.fs, new NewFolders(context, os))
      : withOneCommand(context.fs, os, { attempt, root: claudeDir });
  }

  /** With one command what is simply there; what it says nothing about over SFTP. */
  async function look(paths: readonly RelativePath[]): Promise<readonly Look[]> {
    const attempt = paths.length < WORTH_A_COMMAND ? null : linux();
    if (attempt === null) return bursts.look(paths);
    const seen = await remoteLooks(attempt, claudeDir, paths);
    return withOthers(
      paths,
      paths.map((path) => seen.get(path) ?? 'left'),
      (left) => bursts.look(left),
    );
  }

  return {
    list: (folders) => bursts.list(folders),
    lister: (start) => treeLister(start, (names) => options.listTree(start, names)),
    look,

    async fetch(requests, intake, waiting) {
      const { place } = intake;
      if (requests.length < WORTH_RSYNC || place === null || !(await link.isThere()))
        return bursts.fetch(requests, intake, waiting);
      const pulled = await pullMany({ link, remoteFolder: claudeDir, threads, look, place }, requests, intake);
      return withOthers(requests, pulled, (left) => bursts.fetch(left, intake, 0));
    },

    async create(requests, waiting) {
      if (requests.length < WORTH_RSYNC || !(await link.isThere())) return bursts.create(requests, waiting);
      const pushed = await pushMany(
        {
          context,
          link,
          remoteFolder: claudeDir,
          newFolder: () => join(staging, `p${context.random.hex(16)}-push`),
          naming: naming(),
          hashes,
        },
        requests,
      );
      return withOthers(requests, pushed, (left) => bursts.create(left, 0));
    },
  };
}
