import type { MachineOs } from '../../src/core/domain.ts';
import { folderName } from '../../src/core/projects/folder-name.ts';
import type { Request } from './memory-file-system.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';
import { Link } from './transport.ts';
import type { VolumeChange } from './volume.ts';
import { Volume } from './volume.ts';

/** What a simulated machine is like. */
export interface MachineSpec {
  readonly name: string;
  readonly os: MachineOs;
  /** Absolute home folder, `/`-separated. */
  readonly home: string;
  readonly kind: 'local' | 'remote';
  /** Mean one-way delay, ms. */
  readonly delayMs: number;
  /** Machine clock minus true time at the start, ms. */
  readonly skewMs: number;
  /** `events`: changes are told to the hub; `poll`: it has to look. */
  readonly watching: 'events' | 'poll';
  readonly noHardLinks: boolean;
  readonly coarseTimes: boolean;
}

/** A machine: disk, clock, running CLIs and the way from the hub to it. */
export class SimulatedMachine {
  readonly spec: MachineSpec;
  readonly volume: Volume;
  readonly link: Link;
  /** Folder of claudeDir on `volume`. */
  readonly root: string;
  /** Running CLI processes: pid -> when it was started (machine clock). */
  readonly processes = new Map<number, number>();
  /** Machine clock minus true time, ms. */
  skewMs: number;
  /** When the clock was last set (by itself), Unix ms; 0 when never. */
  clockSetAt = 0;
  readonly #scheduler: Scheduler;
  #nextPid = 4000;

  constructor(
    spec: MachineSpec,
    scheduler: Scheduler,
    prng: Prng,
    hooks: {
      readonly around: (request: Request, moment: 'before' | 'after') => void;
      readonly onConnected: () => void;
    },
  ) {
    this.spec = spec;
    this.skewMs = spec.skewMs;
    this.#scheduler = scheduler;
    this.volume = new Volume({
      now: () => this.now(),
      caseInsensitive: spec.os !== 'linux',
      coarseTimes: spec.coarseTimes,
      noHardLinks: spec.noHardLinks,
    });
    this.link = new Link({ scheduler, prng, label: spec.name, kind: spec.kind, delayMs: spec.delayMs, ...hooks });
    this.root = `${spec.home.replace(/^\//, '')}/.claude`;
    this.volume.makeFolders(this.root);
  }

  get name(): string {
    return this.spec.name;
  }

  /** The machine's own wall clock, Unix ms. */
  now(): number {
    return this.#scheduler.now + this.skewMs;
  }

  /** Somebody sets the machine's clock, by so many ms. */
  setClock(byMs: number): void {
    this.skewMs += byMs;
    this.clockSetAt = this.now();
  }

  /** Path on `volume` of a path below claudeDir. */
  at(path: string): string {
    return path === '' ? this.root : `${this.root}/${path}`;
  }

  /** Path below claudeDir of a path on `volume`, `null` when it lies elsewhere. */
  below(path: string): string | null {
    return path === this.root ? '' : path.startsWith(`${this.root}/`) ? path.slice(this.root.length + 1) : null;
  }

  /** Absolute path of a project checked out below home, spelled as the machine's programs spell it. */
  projectPath(project: string): string {
    const path = `${this.spec.home}/${project}`;
    return this.spec.os === 'windows' ? path.replaceAll('/', '\\') : path;
  }

  /** Folder below `projects/` that holds the sessions of a project on this machine. */
  projectFolder(project: string): string {
    return folderName(this.projectPath(project));
  }

  /** Content of a file below claudeDir, `null` when there is none. */
  content(path: string): Buffer | null {
    return this.volume.contentOf(this.at(path));
  }

  /** Regular files below a folder of claudeDir, as paths below claudeDir, sorted. */
  files(folder = ''): string[] {
    const found: string[] = [];
    for (const { path, inode } of this.volume.walk(this.at(folder))) {
      if (inode.type === 'file') found.push(path.slice(this.root.length + 1));
    }
    return found.sort();
  }

  /** Writes a file in place (creating it and its folders), as the user's programs do. */
  write(path: string, bytes: Buffer): void {
    const full = this.at(path);
    this.volume.makeFolders(full.slice(0, full.lastIndexOf('/')));
    const inode = this.volume.find(full) ?? this.volume.createFile(full);
    this.volume.rewriteFrom(inode, 0, bytes);
  }

  /** Tells about changes below claudeDir, as a watcher there would. */
  onChange(listener: (path: string, change: VolumeChange) => void): void {
    this.volume.onChange((change) => {
      const path = this.below(change.path);
      if (path !== null) listener(path, change);
    });
  }

  /** A notice of this machine's watcher that arrives after `ms`. */
  hint(ms: number, deliver: () => void): void {
    this.#scheduler.after(ms, `${this.name} hint`, deliver);
  }

  /** Starts a process. @returns its pid. */
  spawn(): number {
    const pid = this.#nextPid++;
    this.processes.set(pid, this.now());
    return pid;
  }

  exit(pid: number): void {
    this.processes.delete(pid);
  }
}
