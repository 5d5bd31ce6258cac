import type { RelativePath } from '../../core/domain.ts';
import { FileSystemError } from '../ports/file-system.ts';
import type { EntryStat, FileSystem } from '../ports/file-system.ts';

/** Where a followed root leads, and which folder that was: another one in its place says nothing about what was in this one. */
export interface RootTarget {
  /** Absolute, symlinks resolved. */
  readonly target: string;
  readonly kind: 'file' | 'folder';
  /** Inode of a folder; '' for a file, which editors replace when they save. */
  readonly inode: string;
}

/** What is remembered of the roots of one machine, also across restarts. */
export interface RootMemory {
  get(root: RelativePath): RootTarget | null;
  set(root: RelativePath, target: RootTarget | null): void;
  /** Whether files are known to be at or below `root`. */
  hasFiles(root: RelativePath): boolean;
  /** What was verified there was somewhere else: it is compared anew, and nothing that is missing counts as deleted. */
  startOver(root: RelativePath): void;
}

/** What `FollowedRoots` works with. */
export interface FollowedRootsOptions {
  /** Paths below claudeDir that may be symlinks (`followRoots`). */
  readonly roots: readonly RelativePath[];
  /** Absolute claudeDir, symlinks resolved. */
  readonly claudeDir: string;
  /** Rooted at claudeDir. */
  readonly fs: FileSystem;
  /** Rooted at '/'. */
  readonly outside: FileSystem;
  readonly memory: RootMemory;
  /** Why a target must not be followed, `null` when it may (secrets, the hub's own data). */
  readonly refusal: (target: string) => string | null;
}

/**
 * Nothing is known of a followed root now: its link or its target is not there, or leads elsewhere. Never "absent": what lies
 * behind it was not deleted.
 */
export class RootUnknown extends FileSystemError {
  readonly why: string;

  constructor(path: RelativePath, why: string) {
    super('io', 'follow', path, new Error(why));
    this.name = 'RootUnknown';
    this.why = why;
  }
}

/** What a root is now. `plain`: no link, or none that was ever followed: the ordinary rules hold. */
type RootState =
  | { readonly kind: 'plain' }
  | { readonly kind: 'followed'; readonly to: RootTarget; readonly otherVolume: boolean }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * The symlinks of one machine that are followed on purpose (docs/sync.md section 7): dotfiles that are kept elsewhere. A root is
 * resolved once; what lies below it is a part of the tree, checked component by component like everything else, and no link in
 * there is followed.
 */
export class FollowedRoots {
  readonly #options: FollowedRootsOptions;
  readonly #states = new Map<RelativePath, RootState>();

  constructor(options: FollowedRootsOptions) {
    this.#options = options;
  }

  /** The root at or above `path`. */
  rootOf(path: RelativePath): RelativePath | null {
    return this.#options.roots.find((root) => path === root || path.startsWith(`${root}/`)) ?? null;
  }

  /** The roots that are followed now, with where they lead. */
  *followed(): IterableIterator<readonly [RelativePath, RootTarget]> {
    for (const [root, state] of this.#states) if (state.kind === 'followed') yield [root, state.to];
  }

  /** The roots of which nothing is known now, with the reason. */
  async unknown(): Promise<Map<RelativePath, string>> {
    const found = new Map<RelativePath, string>();
    for (const root of this.#states.keys()) {
      try {
        await this.stat(root);
      } catch (error) {
        if (!(error instanceof RootUnknown)) throw error;
        found.set(root, error.why);
      }
    }
    return found;
  }

  /** Whether `path` is a root that leads to a file. */
  isFollowedFile(path: RelativePath): boolean {
    const state = this.#states.get(path);
    return state?.kind === 'followed' && state.to.kind === 'file';
  }

  /** Whether a root is, or was when it could last be told, a folder. */
  leadsToFolder(root: RelativePath): boolean {
    return this.#options.memory.get(root)?.kind === 'folder';
  }

  /** Where `path` lies, absolute, when a root leads there; `null` when it lies in claudeDir itself. @throws {RootUnknown} */
  place(path: RelativePath): string | null {
    const root = this.rootOf(path);
    const state = root === null ? undefined : this.#states.get(root);
    if (root === null || state === undefined || state.kind === 'plain') return null;
    if (state.kind === 'unknown') throw new RootUnknown(path, state.why);
    return state.to.target + path.slice(root.length);
  }

  /** Why nothing may be replaced, created or removed at `path`; `null` when it may. */
  unwritable(path: RelativePath, change: 'put' | 'remove' | 'move'): string | null {
    const root = this.rootOf(path);
    const state = root === null ? undefined : this.#states.get(root);
    if (state?.kind !== 'followed') return null;
    if (path === root && change !== 'put') {
      return `${path} is a link to ${state.to.target} that is followed: it is deleted and moved by hand only`;
    }
    return state.otherVolume
      ? `${root ?? path} leads to another volume (${state.to.target}), where files are read but not replaced`
      : null;
  }

  /** Facts of what a root leads to, `null` when `path` is no root that is followed. @throws {RootUnknown} */
  async stat(path: RelativePath): Promise<EntryStat | null> {
    const state = this.#states.get(path);
    if (state === undefined || state.kind === 'plain') return null;
    if (state.kind === 'unknown') throw new RootUnknown(path, state.why);
    const { target, kind, inode } = state.to;
    const real = await this.#resolved(path);
    if (real === null) throw new RootUnknown(path, `${path} leads to nothing now (${target} was followed)`);
    if (real !== target) throw new RootUnknown(path, `${path} leads to ${real} now (${target} was followed)`);
    const stat = await this.#options.outside.lstat(target.slice(1));
    if (stat === null) throw new RootUnknown(path, `${target}, where ${path} leads, is not there`);
    if (stat.type !== kind) throw new RootUnknown(path, `${target}, where ${path} leads, is no ${kind} any more`);
    if (kind === 'folder' && stat.inode !== inode)
      throw new RootUnknown(path, `${target}, where ${path} leads, is another folder now`);
    return stat;
  }

  /**
   * Looks where the roots lead. One that leads elsewhere than before is followed there from now on, and everything below it is
   * compared anew; unless it is empty there, which is what a disk that is not mounted looks like.
   * @returns whether anything changed.
   */
  async refresh(): Promise<boolean> {
    let changed = false;
    for (const root of this.#options.roots) {
      const state = await this.#look(root);
      changed ||= JSON.stringify(state) !== JSON.stringify(this.#states.get(root));
      this.#states.set(root, state);
    }
    return changed;
  }

  async #look(root: RelativePath): Promise<RootState> {
    const { fs, outside, memory } = this.#options;
    const known = memory.get(root);
    const entry = await fs.lstat(root);
    // A link that is gone may be back in a moment: until then `stat` says that nothing is known.
    if (entry === null) return known === null ? { kind: 'plain' } : this.#followed(known);
    if (entry.type !== 'symlink') {
      if (known !== null) {
        memory.set(root, null);
        memory.startOver(root);
      }
      return { kind: 'plain' };
    }
    const target = await this.#resolved(root);
    const stat = target === null ? null : await outside.lstat(target.slice(1));
    if (target === null || stat === null)
      return known === null ? { kind: 'unknown', why: `${root} leads to nothing` } : this.#followed(known);
    const refusal = this.#refusalOf(root, target, stat);
    if (refusal !== null) return { kind: 'unknown', why: refusal };
    const now: RootTarget = {
      target,
      kind: stat.type === 'folder' ? 'folder' : 'file',
      inode: stat.type === 'folder' ? stat.inode : '',
    };
    if (known !== null && known.target === now.target && known.kind === now.kind && known.inode === now.inode)
      return this.#followed(known);
    if (now.kind === 'folder' && memory.hasFiles(root) && (await outside.list(target.slice(1))).length === 0) {
      return {
        kind: 'unknown',
        why: `${root} leads to an empty folder now (${target}): is its disk mounted? What was there is not taken for deleted`,
      };
    }
    memory.startOver(root);
    memory.set(root, now);
    return this.#followed(now);
  }

  async #followed(to: RootTarget): Promise<RootState> {
    const { fs, outside } = this.#options;
    const folder = to.kind === 'folder' ? to.target : to.target.slice(0, to.target.lastIndexOf('/'));
    const [own, there] = await Promise.all([fs.lstat(''), outside.lstat(folder.slice(1))]);
    const otherVolume = own !== null && there !== null && deviceOf(own) !== deviceOf(there);
    return { kind: 'followed', to, otherVolume };
  }

  /** Where a link leads; `null` when nowhere. */
  #resolved(root: RelativePath): Promise<string | null> {
    return this.#options.fs.realPath(root);
  }

  #refusalOf(root: RelativePath, target: string, stat: EntryStat): string | null {
    const { claudeDir, refusal } = this.#options;
    if (stat.type !== 'file' && stat.type !== 'folder')
      return `${root} leads to ${target}, which is neither a file nor a folder`;
    const own = claudeDir.replace(/\/+$/, '');
    if (target === own || target.startsWith(`${own}/`) || own.startsWith(`${target}/`) || target === '/') {
      return `${root} leads to ${target}, which is a part of the Claude folder or has it inside`;
    }
    return refusal(target);
  }
}

/** The volume that an entry lies on, as far as its inode tells. */
function deviceOf({ inode }: EntryStat): string {
  return inode.slice(0, inode.indexOf('-'));
}
