import { keyForSession, keyOfPlace, parseKey, parsePath, pathOfKey } from '../../../core/keys/key.ts';
import { homeRelative } from '../../../core/projects/home.ts';
import { folderName } from '../../../core/projects/folder-name.ts';
import type { Homes } from '../../../core/projects/project.ts';
import { identifyProject, placeOn } from '../../../core/projects/registry.ts';
import { recordedFolders, tellingRanges } from '../../../core/projects/recorded-folders.ts';
import { projectPathOf } from '../../../core/projects/session-path.ts';
import type { Head, Key, MachineName, Pair, RelativePath } from '../../../core/domain.ts';
import type { ProjectRow } from '../../store/store.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect } from '../excerpt.ts';
import { GitRemotes } from './git-remotes.ts';

/** Of this many transcripts it is remembered which folders they record: those of a first sync, until they are placed. */
const TOLD_KEPT = 4_096;

/** Where a key lies on a machine, or why it has no place there. */
export type Place = { readonly path: RelativePath } | { readonly held: string };

/**
 * Which key a path of a machine is, and where a key lies on a machine: sessions and memory follow their project, and projects lie
 * elsewhere on each machine (docs/sync.md section 5).
 */
export class Placement {
  readonly #ctx: EngineContext;
  readonly #remotes: GitRemotes;
  /** Project of each place that was identified: with hundreds of projects, finding out costs more than anything else here. */
  readonly #identified = new Map<string, string>();
  /** Project of each session, and the place it was recorded in (a project may have several checkouts on one machine). */
  readonly #sessionProjects = new Map<
    string,
    { readonly id: string; readonly machine: MachineName; readonly path: string }
  >();
  /** Working folders of transcripts that were read a moment ago. */
  readonly #told = new Map<Key, { readonly size: number; readonly folders: readonly string[] }>();
  /** machine -> project folder -> sessions seen there. */
  readonly #folders = new Map<MachineName, Map<string, Set<string>>>();

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
    this.#remotes = new GitRemotes(ctx.clock);
  }

  /** Counts what was learned about places: a folder whose project was not known may be known now. */
  get learned(): number {
    return this.#learned;
  }
  #learned = 0;

  /** Remembers that a transcript lies in a folder; the memory of that folder belongs to the same project. */
  noteTranscript(machine: MachineName, folder: string, session: string): void {
    const folders = this.#folders.get(machine) ?? new Map<string, Set<string>>();
    this.#folders.set(machine, folders);
    const sessions = folders.get(folder) ?? new Set<string>();
    folders.set(folder, sessions);
    if (!sessions.has(session)) this.#learned += 1;
    sessions.add(session);
  }

  /** The working folders that a transcript of `size` bytes records, from somebody who has just read it. */
  noteRecorded(key: Key, size: number, folders: readonly string[]): void {
    this.#told.delete(key);
    this.#told.set(key, { size, folders });
    if (this.#told.size > TOLD_KEPT) for (const oldest of this.#told.keys()) return void this.#told.delete(oldest);
  }

  /** The project of a session has to be found out again (it moved). */
  forgetSession(session: string): void {
    this.#sessionProjects.delete(session);
  }

  /** A fork belongs to the project of the session it was made from. */
  inherit(fork: string, session: string): void {
    const project = this.#sessionProjects.get(session);
    if (project !== undefined) this.#sessionProjects.set(fork, project);
  }

  /** The key of a path, or `null` when the project it belongs to is not known (yet). */
  async keyOf(machine: MachineView, path: RelativePath): Promise<Key | null> {
    const at = parsePath(path);
    return keyOfPlace(at, at.kind === 'project-file' ? await this.#projectOfFolder(machine, at.folder) : null);
  }

  /** Where `key` is to be created on a machine that has no copy of it. */
  async placeFor(machine: MachineView, key: Key): Promise<Place> {
    const at = parseKey(key);
    switch (at.kind) {
      case 'history':
      case 'plain':
        return { path: pathOfKey(key, null) };
      case 'transcript':
        return this.#inProject(machine, key, await this.#projectOfSession(at.session), at.session);
      case 'session-file': {
        const transcript = this.#ctx.store.pairs.get(machine.name, keyForSession(at.session));
        const folder = transcript?.path.split('/')[1];
        if (folder !== undefined) return { path: pathOfKey(key, folder) };
        return this.#inProject(machine, key, await this.#projectOfSession(at.session), at.session);
      }
      case 'project-file':
        return this.#inProject(machine, key, this.#ctx.store.projects.get(at.project) ?? null);
    }
  }

  /** Project that a key belongs to; `null` for keys of no project, and while it is not known. */
  async projectOf(key: Key): Promise<string | null> {
    const at = parseKey(key);
    if (at.kind === 'project-file') return at.project;
    if (at.kind !== 'transcript' && at.kind !== 'session-file') return null;
    return (await this.#projectOfSession(at.session))?.id ?? null;
  }

  /** The folder of a session's project on a machine; `present`: it was seen there. `null` when there is nothing to say. */
  async folderOf(machine: MachineName, session: string): Promise<{ path: string; present: boolean } | null> {
    const project = await this.#projectOfSession(session);
    if (project === null) return null;
    const recorded = this.#sessionProjects.get(session);
    const like = recorded && { machine: recorded.machine, path: recorded.path };
    if (like?.machine === machine) return { path: like.path, present: true };
    return placeOn(project, machine, this.#ctx.settings.projects, this.#homes(), like);
  }

  /** The path that a project at `path` of `origin` has on `target`. */
  async projectPath(origin: MachineName, path: string, target: MachineView): Promise<string> {
    if (origin === target.name) return path;
    const project = await this.#identify(origin, path);
    return (
      placeOn(project, target.name, this.#ctx.settings.projects, this.#homes(), { machine: origin, path })?.path ?? path
    );
  }

  #inProject(machine: MachineView, key: Key, project: ProjectRow | null, session?: string): Place {
    if (project === null) return { held: 'its project is not known yet' };
    const recorded = session === undefined ? undefined : this.#sessionProjects.get(session);
    const like = recorded && { machine: recorded.machine, path: recorded.path };
    const place = placeOn(project, machine.name, this.#ctx.settings.projects, this.#homes(), like);
    if (place === null) return { held: 'there is no place for its project on this machine' };
    if (machine.settings.scope.placement === 'present-only' && !place.present) {
      return { held: 'available at the hub: its project is not on this machine' };
    }
    return { path: pathOfKey(key, folderName(place.path)) };
  }

  async #projectOfSession(session: string): Promise<ProjectRow | null> {
    const known = this.#sessionProjects.get(session);
    const row = known === undefined ? undefined : this.#ctx.store.projects.get(known.id);
    if (row) return row;
    const key = keyForSession(session);
    const head = this.#ctx.store.heads.get(key);
    if (head?.kind !== 'file') return this.#projectByCopies(session);
    const cwds = await this.#cwds(head);
    const recorded = this.#recordedPlace(head, cwds);
    if (recorded === null) return null;
    const { machine, path } = recorded;
    const project = await this.#identify(machine, path);
    this.#sessionProjects.set(session, { id: project.id, machine, path });
    this.#learned += 1;
    return project;
  }

  /**
   * The machine and path that a session belongs to: a copy whose folder is one of the recorded working folders tells best; a copy
   * that was carried into a foreign folder tells nothing, then the machine in whose home the first working folder lies does.
   */
  #recordedPlace(head: Head, cwds: readonly string[]): { machine: MachineName; path: string } | null {
    const pairs = this.#ctx.store.pairs.ofKey(head.key).filter((pair) => pair.base?.kind === 'file');
    const ordered = [
      ...pairs.filter((pair) => pair.machine === head.origin),
      ...pairs.filter((pair) => pair.machine !== head.origin),
    ];
    for (const pair of ordered) {
      const folder = pair.path.split('/')[1] ?? '';
      const path = projectPathOf(folder, cwds);
      if (path !== null && folderName(path) === folder) return { machine: pair.machine, path };
    }
    const path = cwds[0] ?? ordered[0]?.path.split('/')[1];
    if (path === undefined) return null;
    const homes = Object.entries(this.#homes()).filter(([, home]) => homeRelative(path, home.home, home.os) !== null);
    const machine =
      homes.find(([name]) => name === head.origin)?.[0] ?? homes[0]?.[0] ?? ordered[0]?.machine ?? head.origin;
    return { machine, path };
  }

  /** A sidecar may come before its transcript, or without one: the folder it lies in (or lay in, until it was swept) tells. */
  async #projectByCopies(session: string): Promise<ProjectRow | null> {
    for (const key of [keyForSession(session), ...this.#ctx.store.heads.withPrefix(`${keyForSession(session)}/`)]) {
      for (const pair of this.#ctx.store.pairs.ofKey(key)) {
        const machine = this.#ctx.machine(pair.machine);
        const folder = pair.path.split('/')[1];
        if (machine === undefined || folder === undefined) continue;
        const known = await this.#projectOfFolder(machine, folder);
        const row = known === null ? undefined : this.#ctx.store.projects.get(known);
        return row ?? this.#identify(pair.machine, folder, false);
      }
    }
    return null;
  }

  async #projectOfFolder(machine: MachineView, folder: string): Promise<string | null> {
    const path = await this.#pathOfFolder(machine.name, folder);
    if (path !== null) return (await this.#identify(machine.name, path)).id;
    const homes = this.#homes();
    const matching: string[] = [];
    for (const project of this.#ctx.store.projects.values()) {
      const place = placeOn(project, machine.name, this.#ctx.settings.projects, homes);
      if (place !== null && folderName(place.path) === folder) matching.push(project.id);
    }
    return matching.length === 1 ? (matching[0] ?? null) : null;
  }

  /**
   * The working folder that a project folder stands for, from the newest conversation in it that ran there. One that the hub carried
   * there, or that has moved since, tells of another place.
   */
  async #pathOfFolder(machine: MachineName, folder: string): Promise<string | null> {
    const pairs: Pair[] = [];
    for (const session of this.#folders.get(machine)?.get(folder) ?? []) {
      const pair = this.#ctx.store.pairs.get(machine, keyForSession(session));
      if (pair?.base?.kind === 'file' && pair.path.split('/')[1] === folder) pairs.push(pair);
    }
    pairs.sort((a, b) => (b.base?.mtimeMs ?? 0) - (a.base?.mtimeMs ?? 0));
    for (const pair of pairs) {
      const head = this.#ctx.store.heads.get(pair.key);
      const path = head?.kind === 'file' ? projectPathOf(folder, await this.#cwds(head)) : null;
      if (path !== null && folderName(path) === folder) return path;
    }
    return null;
  }

  async #identify(machine: MachineName, path: string, remember = true): Promise<ProjectRow> {
    const view = this.#ctx.machine(machine);
    const remote = view ? await this.#remotes.of(view.replica, path) : null;
    const seen = `${machine}\n${path}\n${remote ?? ''}`;
    const known = this.#ctx.store.projects.get(this.#identified.get(seen) ?? '');
    if (known) return known;
    const homes = this.#homes();
    const home = homes[machine];
    const { project, changed } = identifyProject(
      this.#ctx.store.projects.values(),
      { machine, path, home: home?.home ?? '', os: home?.os ?? 'linux', remote },
      this.#ctx.settings.projects,
      homes,
    );
    if (remember) this.#identified.set(seen, project.id);
    if (changed && remember) {
      this.#ctx.store.projects.put(project);
      this.#learned += 1;
    }
    return project;
  }

  #homes(): Homes {
    const homes: Record<MachineName, { home: string; os: 'linux' | 'macos' | 'windows' }> = {};
    for (const row of this.#ctx.store.machines.values()) {
      if (row.home !== null)
        homes[row.name] = { home: row.home, os: row.os === 'windows' || row.os === 'macos' ? row.os : 'linux' };
    }
    return homes;
  }

  /** See `recordedFolders`. */
  async #cwds(head: Head): Promise<readonly string[]> {
    const told = this.#told.get(head.key);
    if (told?.size === head.size) return told.folders;
    const pieces: string[] = [];
    for (const [from, to] of tellingRanges(head.size)) {
      pieces.push((await collect(this.#ctx.archive.read(head.key, from, to))).toString('utf8'));
    }
    return recordedFolders(pieces);
  }
}
