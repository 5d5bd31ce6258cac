import { gitDirFromDotGit, remoteFromGitConfig } from '../../../core/projects/git-config.ts';
import { gitHeadOf, type GitHead } from '../../../core/projects/git-head.ts';
import { normaliseRemote } from '../../../core/projects/remote.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Replica } from '../../replica/replica.ts';

/** All that is asked of a machine. */
type Readable = Pick<Replica, 'machine' | 'readOutside'>;

/** How many folders above a working folder are asked for a repository. */
const LEVELS = 8;
/** A folder without a remote may get one. */
const NONE_KEPT_MS = 60_000;

/**
 * The git remote of a working folder on a machine, with the path inside the repository: `github.com/u/app//packages/web`.
 * Reads `.git/config` only, of folders the machine's own sessions recorded; answers are kept, a remote hardly ever changes.
 */
export class GitRemotes {
  readonly #clock: Clock;
  readonly #known = new Map<string, Promise<string | null>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `null` when the folder is in no repository, or in one without a remote. */
  of(replica: Readable, path: string): Promise<string | null> {
    const id = `${replica.machine}\n${path}`;
    const known = this.#known.get(id);
    if (known) return known;
    const asked = this.#ask(replica, path.replaceAll('\\', '/'));
    this.#known.set(id, asked);
    asked.then(
      (remote) => {
        if (remote === null) this.#clock.after(NONE_KEPT_MS, () => this.#known.delete(id));
      },
      () => this.#known.delete(id),
    );
    return asked;
  }

  async #ask(replica: Readable, path: string): Promise<string | null> {
    if (!/^(?:\/|[A-Za-z]:\/)/.test(path)) return null;
    let folder = path.replace(/\/+$/, '');
    const inside: string[] = [];
    for (let level = 0; level < LEVELS && folder.includes('/'); level += 1) {
      const config = await this.#config(replica, folder);
      if (config !== null) {
        const url = remoteFromGitConfig(config);
        const remote = url === null ? null : normaliseRemote(url);
        return remote === null ? null : `${remote}//${inside.join('/')}`;
      }
      const cut = folder.lastIndexOf('/');
      inside.unshift(folder.slice(cut + 1));
      folder = folder.slice(0, cut);
    }
    return null;
  }

  /** The repository's configuration, through the `.git` file of a worktree where there is one. */
  async #config(replica: Readable, folder: string): Promise<string | null> {
    const direct = await replica.readOutside(`${folder}/.git/config`);
    if (direct !== null) return direct.toString('utf8');
    const pointer = await replica.readOutside(`${folder}/.git`);
    const gitDir = pointer === null ? null : gitDirFromDotGit(pointer.toString('utf8'));
    if (gitDir === null) return null;
    const absolute = gitDir.startsWith('/') || /^[A-Za-z]:/.test(gitDir) ? gitDir : `${folder}/${gitDir}`;
    const common = (await replica.readOutside(`${absolute}/commondir`))?.toString('utf8').trim();
    const root = common === undefined ? absolute : common.startsWith('/') ? common : `${absolute}/${common}`;
    return (await replica.readOutside(`${root}/config`))?.toString('utf8') ?? null;
  }
}

/**
 * What the checkout that a folder lies in is at; `null` when it is in none, or nothing can be read. Asked anew each time.
 * @param path absolute, one that a session recorded on that machine.
 */
export async function checkedOut(replica: Readable, path: string): Promise<GitHead | null> {
  const start = path.replaceAll('\\', '/').replace(/\/+$/, '');
  if (!/^(?:\/|[A-Za-z]:\/)/.test(start)) return null;
  let folder = start;
  for (let level = 0; level < LEVELS && folder.includes('/'); level += 1) {
    const direct = await replica.readOutside(`${folder}/.git/HEAD`);
    if (direct !== null) return gitHeadOf(direct.toString('utf8'));
    const pointer = await replica.readOutside(`${folder}/.git`);
    const gitDir = pointer === null ? null : gitDirFromDotGit(pointer.toString('utf8'));
    if (gitDir !== null) {
      const absolute = gitDir.startsWith('/') || /^[A-Za-z]:/.test(gitDir) ? gitDir : `${folder}/${gitDir}`;
      const head = await replica.readOutside(`${absolute}/HEAD`);
      return head === null ? null : gitHeadOf(head.toString('utf8'));
    }
    folder = folder.slice(0, folder.lastIndexOf('/'));
  }
  return null;
}
