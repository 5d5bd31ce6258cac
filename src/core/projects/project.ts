import type { MachineName, MachineOs } from '../domain.ts';

/** A project as the hub knows it, and where it lies on each machine. */
export interface Project {
  /** One part of a key, see `encodeProjectId`. Stays the same for good. */
  readonly id: string;
  /** Git remotes it was seen with, each as `<normalised remote>//<path inside the repository>`. */
  readonly remotes: readonly string[];
  /** Absolute paths per machine, the one found last first. */
  readonly places: Readonly<Record<MachineName, readonly string[]>>;
}

/** The home folder and system of one machine. */
export interface Home {
  readonly home: string;
  readonly os: MachineOs;
}

/** Homes of the machines, as far as they are known. */
export type Homes = Readonly<Record<MachineName, Home>>;

/** A folder in which sessions were recorded on a machine. */
export interface Seen extends Home {
  readonly machine: MachineName;
  /** Absolute, as recorded. */
  readonly path: string;
  /** `<normalised remote>//<path inside the repository>`; `null` without a remote, or when it could not be read. */
  readonly remote: string | null;
}
