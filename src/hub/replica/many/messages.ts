import type { FileStat, Look, MachineOs, RelativePath, Sha256, UnixMs } from '../../../core/domain.ts';
import type { Fetched, FetchRequest } from '../replica.ts';
import type { PackedListing } from './packed-listing.ts';

/** Many files to be created in one tree of this computer. */
export interface CreateJob {
  readonly kind: 'create';
  /** Absolute claudeDir. */
  readonly root: string;
  readonly os: MachineOs;
  /** Beginning of the names of temps, see `privateName`. */
  readonly epoch: number;
  readonly files: readonly FileToCreate[];
}

/** See `CreateRequest`. */
export interface FileToCreate {
  readonly path: RelativePath;
  /** Absolute path of the plain file that begins with the content. */
  readonly source: string;
  readonly size: number;
  /** Checked when it is known. */
  readonly sha256: Sha256 | null;
  readonly mtimeMs: UnixMs;
  readonly executable: boolean;
}

/** What became of one file. `left`: nothing was made, and the ordinary way may tell more. */
export type Created =
  { readonly kind: 'done'; readonly stat: FileStat } | { readonly kind: 'changed' } | { readonly kind: 'left' };

/** Many files of one tree to be copied into a folder. */
export interface FetchJob {
  readonly kind: 'fetch';
  /** Absolute claudeDir. */
  readonly root: string;
  readonly files: readonly FileToFetch[];
  /** A longer file is left. */
  readonly longest: number;
  /** The tree is the hub's own, and its files are moved instead of copied. Default false. */
  readonly adopt?: boolean;
}

/** One file, and the absolute path of the new file that gets its content. */
export interface FileToFetch extends FetchRequest {
  readonly target: string;
}

/** What became of one file. `left`: nothing was kept of it; it may be changing, too long, gone, or no file. */
export type Copied = ({ readonly kind: 'copied' } & Omit<Fetched, 'staged'>) | { readonly kind: 'left' };

/** Many paths of one tree to be looked at. */
export interface LookJob {
  readonly kind: 'look';
  /** Absolute claudeDir. */
  readonly root: string;
  readonly files: readonly RelativePath[];
}

/** Many folders of one tree to be listed. */
export interface ListJob {
  readonly kind: 'list';
  /** Absolute claudeDir. */
  readonly root: string;
  readonly folders: readonly RelativePath[];
}

/** Anything that a thread does. */
export type Job = CreateJob | FetchJob | LookJob | ListJob;

/** What a thread is asked: a job, or to end. */
export type ToCopyThread = ({ readonly number: number } & Job) | 'end';

/** What it answers, in the order of the files. */
export type FromCopyThread =
  | { readonly number: number; readonly kind: 'created'; readonly files: readonly Created[] }
  | { readonly number: number; readonly kind: 'seen'; readonly files: readonly Look[] }
  | { readonly number: number; readonly kind: 'listed'; readonly folders: readonly PackedListing[] }
  | { readonly number: number; readonly kind: 'fetched'; readonly files: readonly Copied[] };
