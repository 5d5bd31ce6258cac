import { lstatSync, readdirSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { RelativePath } from '../../core/domain.ts';
import { systemClock } from '../ports/system.ts';
import { troubleOf } from './chokidar-watch.ts';
import { HintsTogether } from './hints-together.ts';
import { errnoOf } from './node-facts.ts';
import { isPrivate } from './private-folder.ts';
import type { Hint } from './replica.ts';
import type { WatchSource } from './watch-source.ts';

/**
 * Watches a claudeDir on Linux: one inotify watch per folder and nothing remembered about files. chokidar keeps the facts of
 * every file, about 13 KB each, which with several trees in one hub is most of its memory; the hub has those facts already.
 *
 * How no change is missed although folders come and go:
 * - A folder is watched before it is listed for folders below it, and only then told as a folder to scan: what is created
 *   in it after the listing is an event, what was there before is found by that scan. With `cover` the scan itself finds
 *   the folders below, and has each watched before it lists it.
 * - A watched folder has a watched parent: that is how its end is noticed, and how the folders below it are let go with it.
 * - A name that appears (`rename`) and is a folder is watched anew, even if that path is being watched: it may be another folder
 *   that took the place, and inotify follows the folder, not the path.
 * - Events that the kernel drops without a word are what the scans from time to time are for (docs/sync.md section 8).
 *
 * @param root absolute claudeDir, symlinks resolved.
 * @param prune whether a folder (path below claudeDir) and everything in it is of no interest. The private folder never is.
 */
export function createFolderWatch(root: string, prune: (folder: RelativePath) => boolean = () => false): WatchSource {
  return folderWatch({ root, prune, coveredByScans: false });
}

/** As `createFolderWatch`, but watches only what it is told to cover: a scan names the folders before it lists them. */
export function createCoveredFolderWatch(
  root: string,
  prune: (folder: RelativePath) => boolean = () => false,
): WatchSource & Required<Pick<WatchSource, 'cover'>> {
  return folderWatch({ root, prune, coveredByScans: true });
}

interface FolderWatchOptions {
  readonly root: string;
  readonly prune: (folder: RelativePath) => boolean;
  /** Somebody else finds the folders and names them. */
  readonly coveredByScans: boolean;
}

function folderWatch(options: FolderWatchOptions): WatchSource & Required<Pick<WatchSource, 'cover'>> {
  let running: FolderWatch | null = null;
  return {
    name: 'inotify',
    async start(onHint, onTrouble) {
      // After a lost connection or a lifted quarantine: the old one may watch a folder that is not there any more.
      running?.close();
      running = new FolderWatch(options, onHint, onTrouble);
      if (!options.coveredByScans) running.watchTree('');
    },
    cover(folders) {
      for (const folder of folders) running?.cover(folder);
    },
    async close() {
      running?.close();
    },
  };
}

class FolderWatch {
  readonly #root: string;
  readonly #prune: (folder: RelativePath) => boolean;
  readonly #coveredByScans: boolean;
  readonly #onHint: (hint: Hint) => void;
  readonly #onTrouble: (reason: string) => void;
  /** By path below the root; '' is the root. */
  readonly #watchers = new Map<RelativePath, FSWatcher>();
  readonly #together: HintsTogether;
  readonly #troubles = new Set<string>();
  /** See `#rootId`. */
  #watchedRoot: string | null = null;
  #closed = false;

  constructor(
    { root, prune, coveredByScans }: FolderWatchOptions,
    onHint: (hint: Hint) => void,
    onTrouble: (reason: string) => void,
  ) {
    this.#root = root;
    this.#prune = prune;
    this.#coveredByScans = coveredByScans;
    this.#onHint = onHint;
    this.#onTrouble = onTrouble;
    this.#together = new HintsTogether(systemClock, onHint);
  }

  /** Watches `folder` and all folders below it. */
  watchTree(folder: RelativePath): void {
    for (const pending = [folder]; pending.length > 0;) {
      const at = pending.pop() ?? '';
      if (at !== '' && (isPrivate(at) || this.#prune(at))) continue;
      if (!this.#watch(at)) continue;
      for (const name of this.#foldersIn(at)) pending.push(at === '' ? name : `${at}/${name}`);
    }
  }

  /**
   * Watches `folder` itself, unless it is watched or of no interest. One whose parent is not watched has to wait: when the parent is
   * replaced nobody would hear of it, and the watch would stay with a folder that is gone. Scans come from the top, so it is no
   * more than a matter of the next one.
   */
  cover(folder: RelativePath): void {
    if (this.#closed || this.#watchers.has(folder)) return;
    if (folder !== '' && (isPrivate(folder) || this.#prune(folder) || !this.#watchers.has(parentOf(folder)))) return;
    this.#watch(folder);
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#together.close();
  }

  #absolute(path: RelativePath): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  /** @returns whether the folder is watched now. */
  #watch(folder: RelativePath): boolean {
    this.#unwatch(folder);
    try {
      const watcher = watch(this.#absolute(folder), (event, name) => this.#onEvent(folder, event, name));
      watcher.on('error', (error) => this.#trouble(folder, error));
      this.#watchers.set(folder, watcher);
      if (folder === '') this.#watchedRoot = this.#rootId();
      return true;
    } catch (error) {
      // Gone again: the removal is an event of the folder above.
      if (errnoOf(error) !== 'ENOENT') this.#trouble(folder, error);
      return false;
    }
  }

  #unwatch(folder: RelativePath): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }

  #unwatchTree(folder: RelativePath): void {
    this.#unwatch(folder);
    for (const path of [...this.#watchers.keys()]) if (path.startsWith(`${folder}/`)) this.#unwatch(path);
  }

  #foldersIn(folder: RelativePath): string[] {
    try {
      return readdirSync(this.#absolute(folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') this.#trouble(folder, error);
      return [];
    }
  }

  #onEvent(folder: RelativePath, event: string, name: string | null): void {
    if (this.#closed) return;
    if (name === null) return this.#onHint({ path: folder, kind: 'folder' });
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isPrivate(path)) return;
    if (event !== 'rename') {
      // Attributes of a folder: what happens in it is told by its own watch.
      if (!this.#watchers.has(path)) this.#together.file(path);
      return;
    }
    if (this.#isFolder(path)) {
      if (this.#prune(path)) return;
      if (this.#watchers.has(path)) this.#unwatchTree(path);
      if (this.#coveredByScans) this.#watch(path);
      else this.watchTree(path);
      this.#together.folder(path);
    } else if (this.#watchers.has(path)) {
      this.#unwatchTree(path);
      this.#onHint({ path, kind: 'folder' });
    } else {
      this.#together.file(path);
      // The end of a folder itself comes under its own name; the one above tells it too, but the root has none above.
      if (folder === '' && name === this.#root.slice(this.#root.lastIndexOf('/') + 1)) this.#startOverIfRootIsAnother();
    }
  }

  /** The root was taken away, and perhaps there is another one in its place: what is watched is not what lies there. */
  #startOverIfRootIsAnother(): void {
    if (this.#rootId() === this.#watchedRoot) return;
    for (const path of [...this.#watchers.keys()]) this.#unwatch(path);
    if (!this.#coveredByScans && this.#isFolder('')) this.watchTree('');
    this.#onHint({ path: '', kind: 'folder' });
  }

  /** Device and inode of the root, `null` when there is none. */
  #rootId(): string | null {
    const stat = lstatSync(this.#root, { throwIfNoEntry: false });
    return stat?.isDirectory() === true ? `${stat.dev}-${stat.ino}` : null;
  }

  #isFolder(path: RelativePath): boolean {
    try {
      return lstatSync(this.#absolute(path), { throwIfNoEntry: false })?.isDirectory() ?? false;
    } catch (error) {
      if (errnoOf(error) !== 'ENOTDIR') this.#trouble(path, error);
      return false;
    }
  }

  #trouble(folder: RelativePath, error: unknown): void {
    if (this.#closed) return;
    const code = errnoOf(error) ?? String(error);
    // Running out of watches fails once per folder; once is enough to be told.
    if (this.#troubles.has(code)) return;
    this.#troubles.add(code);
    this.#onTrouble(`${folder === '' ? 'the Claude folder' : folder}: ${troubleOf(code, error)}`);
  }
}

function parentOf(path: RelativePath): RelativePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
