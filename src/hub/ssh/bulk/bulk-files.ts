import { join } from 'node:path';
import type { MachineOs } from '../../../core/domain.ts';
import type { CopyThreads } from '../../replica/many/copy-threads.ts';
import { inBursts } from '../../replica/many/in-bursts.ts';
import { withOthers, type ManyFiles } from '../../replica/many/many-files.ts';
import { NewFolders } from '../../replica/many/new-folders.ts';
import type { TreeContext } from '../../replica/tree-context.ts';
import { pullMany } from './pull.ts';
import { pushMany, type PushOptions } from './push.ts';
import type { RsyncLink } from './rsync-link.ts';
import { treeLister } from './tree-listing.ts';

/** Fewer files take less time over SFTP than rsync takes to begin. */
const WORTH_RSYNC = 150;

/** What many files of a machine over SSH go by. */
export interface BulkFilesOptions {
  readonly link: RsyncLink;
  /** Absolute claudeDir there. */
  readonly claudeDir: string;
  /** Absolute folder of the hub on the volume of its archive, in which nothing outlives the process. */
  readonly staging: string;
  readonly threads: CopyThreads;
  readonly hashes: PushOptions['hashes'];
  /** See `listTree`; `null` where the machine cannot, or has to say that something is in the way. */
  readonly listTree: Parameters<typeof treeLister>[0];
}

/** Hundreds of files go by rsync where both sides have it, fewer in bursts over SFTP, and so does what rsync leaves. */
export function bulkFiles(context: TreeContext, os: MachineOs, options: BulkFilesOptions): ManyFiles {
  const bursts = inBursts(context, os);
  const { link, claudeDir, staging, threads, hashes } = options;

  return {
    list: (folders) => bursts.list(folders),
    lister: () => treeLister(options.listTree),
    look: (paths) => bursts.look(paths),

    async fetch(requests, intake, waiting) {
      const { place } = intake;
      if (requests.length < WORTH_RSYNC || place === null || !(await link.isThere()))
        return bursts.fetch(requests, intake, waiting);
      const pulled = await pullMany(
        { link, remoteFolder: claudeDir, threads, look: (paths) => bursts.look(paths), place },
        requests,
        intake,
      );
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
          folders: new NewFolders(context, os),
          hashes,
        },
        requests,
      );
      return withOthers(requests, pushed, (left) => bursts.create(left, 0));
    },
  };
}
