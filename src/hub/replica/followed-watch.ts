import type { RelativePath } from '../../core/domain.ts';
import type { FollowedRoots, RootTarget } from './followed-roots.ts';
import type { Hint } from './replica.ts';
import type { WatchSource } from './watch-source.ts';

/** Makes a watch on an absolute folder, see `createFolderWatch`. */
export type CreateWatch = (root: string, prune: (folder: RelativePath) => boolean) => WatchSource;

/** A watch that also covers where the followed roots lead. */
export interface FollowedWatch extends WatchSource {
  /** The roots lead elsewhere now. */
  refresh(): Promise<void>;
}

/**
 * Watches a claudeDir and, each by itself, what its followed roots lead to: no watcher follows a link by itself, and should not.
 * @param main watches claudeDir.
 * @param prune as for `main`: paths below claudeDir.
 */
export function createFollowedWatch(
  main: WatchSource,
  roots: FollowedRoots,
  create: CreateWatch,
  prune: (folder: RelativePath) => boolean,
): FollowedWatch {
  let others: WatchSource[] = [];
  let told: { readonly onHint: (hint: Hint) => void; readonly onTrouble: (reason: string) => void } | null = null;

  async function watchRoots(): Promise<void> {
    await Promise.all(others.map((watch) => watch.close()));
    others = [];
    if (told === null) return;
    const { onHint, onTrouble } = told;
    for (const [root, to] of roots.followed()) {
      const watch = to.kind === 'folder' ? folderOf(root, to) : fileOf(root, to);
      others.push(watch.source);
      await watch.source.start((hint) => watch.pass(hint, onHint), onTrouble);
    }
  }

  interface RootWatch {
    readonly source: WatchSource;
    pass(hint: Hint, onHint: (hint: Hint) => void): void;
  }

  function folderOf(root: RelativePath, { target }: RootTarget): RootWatch {
    return {
      source: create(target, (folder) => prune(`${root}/${folder}`)),
      pass: ({ path, kind }, onHint) => onHint({ path: path === '' ? root : `${root}/${path}`, kind }),
    };
  }

  /** A file is watched through its folder: editors replace it. Nothing else in that folder is told. */
  function fileOf(root: RelativePath, { target }: RootTarget): RootWatch {
    const cut = target.lastIndexOf('/');
    const name = target.slice(cut + 1);
    return {
      source: create(target.slice(0, Math.max(1, cut)), () => true),
      pass: ({ path }, onHint) => {
        if (path === name || path === '') onHint({ path: root, kind: 'file' });
      },
    };
  }

  return {
    name: main.name,
    async start(onHint, onTrouble) {
      told = { onHint, onTrouble };
      await main.start(onHint, onTrouble);
      await watchRoots();
    },
    refresh: watchRoots,
    async close() {
      told = null;
      await Promise.all([main, ...others].map((watch) => watch.close()));
    },
  };
}
