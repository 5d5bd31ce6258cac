import type { MachineName, MachineOs } from '../../core/domain.ts';
import { canonicalPath, caseForm } from '../../core/projects/home.ts';
import { githubRepositoryOf } from '../../core/pulls/session-links.ts';
import type { Store } from '../store/store.ts';

const SYSTEMS: readonly MachineOs[] = ['linux', 'macos', 'windows'];

/** The GitHub repositories of folders, by the places of the projects on all machines as they are known when it is made. */
export class RepositoryPlaces {
  /** By system and path, in the form in which paths are compared there. */
  readonly #places = new Map<string, Set<string>>();
  /** Thousands of sessions were held in the same few folders. */
  readonly #known = new Map<string, readonly string[]>();

  constructor({ projects, machines }: Pick<Store, 'projects' | 'machines'>) {
    for (const { remotes, places } of projects.values()) {
      // A folder without a remote is part of what it lies in; one with a remote elsewhere is not.
      if (remotes.length === 0) continue;
      const repositories = remotes.map(githubRepositoryOf).filter((repository) => repository !== null);
      for (const [machine, paths] of Object.entries(places)) {
        for (const path of paths) this.#add(path, systemOf(machine, path, machines), repositories);
      }
    }
  }

  /** Repositories of the projects that any of `cwds` lies in. A path does not tell its machine: all are asked. */
  repositoriesOf(cwds: readonly string[]): readonly string[] {
    return [...new Set(cwds.flatMap((cwd) => this.#around(cwd)))];
  }

  #add(path: string, os: MachineOs, repositories: readonly string[]): void {
    const place = canonicalPath(path, os);
    if (place === null) return;
    const id = placeId(place, os);
    const there = this.#places.get(id) ?? new Set();
    for (const repository of repositories) there.add(repository);
    this.#places.set(id, there);
  }

  /**
   * Of the innermost place around `cwd`: when a home folder is a repository of its own, what lies in it is not all of that one.
   * A worktree lies in the folder of its repository.
   */
  #around(cwd: string): readonly string[] {
    const known = this.#known.get(cwd);
    if (known !== undefined) return known;
    let innermost = 0;
    let found: string[] = [];
    for (const os of SYSTEMS) {
      for (let path = canonicalPath(cwd, os); path !== null; path = parentOf(path)) {
        const there = this.#places.get(placeId(path, os));
        if (there === undefined) continue;
        if (path.length > innermost) found = [];
        if (path.length >= innermost) found.push(...there);
        innermost = Math.max(innermost, path.length);
        break;
      }
    }
    this.#known.set(cwd, found);
    return found;
  }
}

function placeId(path: string, os: MachineOs): string {
  return `${os} ${caseForm(path, os)}`;
}

/** The folder around a canonical path; `null` at the top. */
function parentOf(path: string): string | null {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || path === '/') return null;
  return slash === 0 ? '/' : path.slice(0, slash);
}

/** The system of a machine; of one that is no longer known, or not yet, the one that such a path is of. */
function systemOf(machine: MachineName, path: string, machines: Store['machines']): MachineOs {
  const os = machines.get(machine)?.os;
  const known = SYSTEMS.find((system) => system === os);
  if (known !== undefined) return known;
  if (/^\/?[A-Za-z]:|^\\\\/.test(path)) return 'windows';
  return path.startsWith('/Users/') ? 'macos' : 'linux';
}
