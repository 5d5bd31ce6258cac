import { join } from 'node:path';
import type { MachineName, MachineOs, RelativePath, Sha256 } from '../../../core/domain.ts';
import type { Random } from '../../ports/clock.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import type { CopyThreads } from '../../replica/many/copy-threads.ts';
import type { ManyFiles } from '../../replica/many/many-files.ts';
import type { TreeContext } from '../../replica/tree-context.ts';
import { remoteHashes } from '../remote-hashes.ts';
import { rsyncVersion } from '../rsync.ts';
import { attemptIn, type Attempt } from './attempt.ts';
import { bulkFiles } from './bulk-files.ts';
import { patchTemp } from './patch.ts';
import { listTree } from './tree-listing.ts';
import { RsyncLink, type RsyncLinkOptions } from './rsync-link.ts';

/** Longest time for the hashes of one lot of files. */
const HASHES_MS = 300_000;

/** A machine and what large amounts of its files go by. */
export interface BulkOptions extends Pick<
  RsyncLinkOptions,
  'session' | 'clock' | 'explicit' | 'bytesPerSecond' | 'onProgress'
> {
  readonly machine: MachineName;
  /** Absolute claudeDir there. */
  readonly claudeDir: string;
  readonly random: Random;
  /** The machine's setting. */
  readonly rsync: 'auto' | 'never';
  /** Absolute folder of the hub on the volume of its archive, in which nothing outlives the process. */
  readonly staging: string;
  readonly threads: CopyThreads;
  /** Something did not work and goes another way; for the log. */
  readonly onTrouble: (error: Error) => void;
}

/** What is not done file by file over SFTP: many files, parts of large ones, hashes of what lies there. */
export class Bulk {
  readonly #options: BulkOptions;
  readonly #link: RsyncLink;

  constructor(options: BulkOptions) {
    this.#options = options;
    this.#link = new RsyncLink({
      ...options,
      mode: options.rsync,
      localVersion: () => rsyncVersion(),
      onTrouble: (reason) => options.onTrouble(new Error(`${options.machine}: ${reason}`)),
    });
  }

  /** See `ManyFiles`. */
  many(context: TreeContext, os: MachineOs): ManyFiles {
    const { claudeDir, staging, threads } = this.#options;
    const hashes = (folder: RelativePath, names: readonly string[]): ReturnType<Bulk['hashes']> =>
      this.hashes(folder, names);
    return bulkFiles(context, os, {
      link: this.#link,
      claudeDir,
      staging,
      threads,
      hashes,
      linux: () => this.#linux(),
      listTree: (below, names) => this.#listTree(below, names),
    });
  }

  /** Commands of a Linux machine: the find and the cp of other systems know nothing of this kind. */
  #linux(): Attempt | null {
    const { session } = this.#options;
    return session().probe?.system === 'linux' ? attemptIn(session) : null;
  }

  async #listTree(below: RelativePath, names: readonly string[]): ReturnType<typeof listTree> {
    const { claudeDir } = this.#options;
    const attempt = this.#linux();
    return attempt === null ? null : listTree(attempt, below === '' ? claudeDir : `${claudeDir}/${below}`, names);
  }

  /** See `patchTemp`. */
  patchTemp(file: Parameters<typeof patchTemp>[1]): Promise<boolean> {
    const { claudeDir, staging, random, session } = this.#options;
    return patchTemp(
      {
        link: this.#link,
        commands: () => session().commands,
        remoteFolder: claudeDir,
        newFolder: () => join(staging, `p${random.hex(16)}-patch`),
      },
      file,
    );
  }

  /** SHA-256 of files in a folder below claudeDir, hashed there; `null` where the machine cannot. @throws {FileSystemError} `disconnected` */
  async hashes(folder: RelativePath, names: readonly string[]): Promise<ReadonlyMap<string, Sha256> | null> {
    const { session, claudeDir, machine, onTrouble } = this.#options;
    const { commands, probe, channel } = session();
    const tool = probe?.sha256 ?? null;
    if (tool === null) return null;
    const root = folder === '' ? claudeDir : `${claudeDir}/${folder}`;
    try {
      return await remoteHashes({ commands, tool, root, timeoutMs: HASHES_MS }, names);
    } catch (error) {
      if (channel.isLost) throw new FileSystemError('disconnected', 'hash', folder, error);
      onTrouble(new Error(`${machine}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }));
      return null;
    }
  }
}
