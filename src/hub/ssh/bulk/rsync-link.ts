import type { RelativePath } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import { runRsync, type RsyncOutcome } from '../rsync.ts';
import { isAtLeast, type RsyncVersion } from '../rsync-version.ts';
import { RsyncRefused } from '../rsync-words.ts';
import type { SshSession } from '../session.ts';

/** After a transfer that failed as a whole rsync is left alone for this long: SFTP does its work meanwhile. */
const GIVEN_UP_MS = 10 * 60_000;
/** Folder for what arrived of a file that broke off, beside it. */
const PARTIAL_FOLDER = '.rsync-partial';

/** A level of zstd. */
const FAST = -3;
const NO_VERSION: RsyncVersion = { implementation: 'openrsync', major: 0, minor: 0, patch: 0 };

/** What a transfer of many files with rsync needs. */
export interface RsyncLinkOptions {
  readonly clock: Clock;
  readonly session: () => SshSession;
  /** `never`: SFTP does everything. */
  readonly mode: 'auto' | 'never';
  /** The rsync of this computer, `null` when there is none; asked once. */
  readonly localVersion: () => Promise<RsyncVersion | null>;
  /** What of the settings the configuration names itself; for everything else the user's ssh asks the user's ssh_config. */
  readonly explicit: { readonly identityFile: boolean; readonly knownHostsFile: boolean };
  readonly bytesPerSecond: number | null;
  /** Bytes that the transfers under way have moved so far; 0 when there are none. */
  readonly onProgress: (bytes: number) => void;
  readonly onTrouble: (reason: string) => void;
}

/** rsync between this computer and one machine, as long as it works. */
export class RsyncLink {
  readonly #options: RsyncLinkOptions;
  #givenUpAt = -Infinity;
  /** By transfer. */
  readonly #moved = new Map<symbol, number>();
  #version: Promise<RsyncVersion | null> | null = null;

  constructor(options: RsyncLinkOptions) {
    this.#options = options;
  }

  /** Whether it is worth a try now. */
  async isThere(): Promise<boolean> {
    const { mode, session, clock } = this.#options;
    if (mode === 'never' || clock.now() - this.#givenUpAt < GIVEN_UP_MS || session().probe?.rsync === null)
      return false;
    if (session().probe === null) return false;
    this.#version ??= this.#options.localVersion();
    return (await this.#version) !== null;
  }

  /**
   * Brings files from or to a folder of the machine; both folders exist. With `wholeFile` (the default) nothing of these files is in the one
   * that they go to; without it, something like them is, and only what differs is sent.
   * @returns whether it is worth looking what arrived; `broken`: the rsync there may still be at work. What did not arrive has to go another way.
   */
  async transfer(
    direction: 'pull' | 'push',
    localFolder: string,
    remoteFolder: string,
    paths: readonly RelativePath[],
    { wholeFile = true }: { readonly wholeFile?: boolean } = {},
  ): Promise<'ended' | 'broken' | false> {
    const { clock, session, explicit, bytesPerSecond } = this.#options;
    const { settings, probe, end } = session();
    const localVersion = await (this.#version ??= this.#options.localVersion());
    if (localVersion === null || probe?.rsync === null || probe === null) return false;
    const id = Symbol('transfer');
    const transfer = runRsync({
      direction,
      ssh: {
        host: settings.host,
        hostName: settings.hostname,
        port: settings.port,
        user: settings.user,
        identityFiles: explicit.identityFile ? settings.identityFiles.map(({ path }) => path) : [],
        knownHostsFiles: explicit.knownHostsFile ? settings.knownHostsFiles : [],
      },
      localFolder,
      remoteFolder,
      localVersion,
      remoteRsync: probe.rsync.path,
      partialDir: PARTIAL_FOLDER,
      wholeFile,
      // From 3.2 on the two agree on zstd, which at this level takes less time than ssh takes for the bytes that it saves.
      compress: isAtLeast(localVersion, 3, 2) && isAtLeast(probe.rsync.version ?? NO_VERSION, 3, 2),
      compressLevel: FAST,
      ...(bytesPerSecond === null ? {} : { bytesPerSecond }),
      paths,
      clock,
      // It has a connection of its own, which would go on, and no place in the next session.
      signal: end.signal,
      onProgress: ({ bytes }) => this.#progress(id, bytes),
    });
    try {
      return this.#judge(await transfer);
    } catch (error) {
      if (!(error instanceof RsyncRefused)) throw error;
      // It will not be another setting before the configuration is read anew.
      this.#givenUpAt = Infinity;
      this.#options.onTrouble(`${error.message}; files go over SFTP`);
      return false;
    } finally {
      this.#progress(id, null);
    }
  }

  #progress(transfer: symbol, bytes: number | null): void {
    if (bytes === null) this.#moved.delete(transfer);
    else this.#moved.set(transfer, bytes);
    this.#options.onProgress([...this.#moved.values()].reduce((sum, moved) => sum + moved, 0));
  }

  #judge(outcome: RsyncOutcome): 'ended' | 'broken' | false {
    switch (outcome.kind) {
      // SFTP meets a full disk, too, and tells it file by file.
      case 'done':
      case 'partial':
      case 'disk-full':
        return 'ended';
      case 'aborted':
        return false;
      case 'unreachable':
      case 'stalled':
      case 'failed':
        this.#givenUpAt = this.#options.clock.now();
        this.#options.onTrouble(`rsync did not work (${outcome.kind}: ${outcome.said}); files go over SFTP meanwhile`);
        return 'broken';
    }
  }
}
