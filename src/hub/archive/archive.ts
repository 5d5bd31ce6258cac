import type { Key, Sha256 } from '../../core/domain.ts';
import type { Intake } from '../replica/replica.ts';

/**
 * The hub's own copy of everything: the head of each key as a plain readable file below `archive/`,
 * and earlier or losing contents below `versions/`, content-addressed and compressed.
 * Nothing here knows machines, plans or the database.
 *
 * Layout: key `session/<uuid>` -> `archive/session/<uuid>.jsonl`, `session/<uuid>/<rest>` -> `archive/session/<uuid>/<rest>`,
 * any other key -> `archive/<key>` (segments that the hub's file system cannot hold are percent-encoded);
 * version -> `versions/<first 2 hex>/<sha256>.zst`.
 */
export interface Archive {
  /** Makes the folders, removes left-over staging files. */
  open(): Promise<void>;

  /** Bytes of the head file; `null` when there is none. */
  size(key: Key): Promise<number | null>;
  /** Bytes `[from, to)` of the head in chunks of at most 1 MiB. @throws {ArchiveDamaged} when the file is shorter. */
  read(key: Key, from: number, to: number): AsyncIterable<Buffer>;
  /**
   * Appends to the head file, creating it when `at` is 0.
   * @throws {ArchiveDamaged} when the file is not exactly `at` bytes long.
   */
  append(key: Key, at: number, bytes: Uint8Array): Promise<void>;
  /** Cuts the head file to `size` (crash recovery; the bytes cut have to be kept first). */
  truncate(key: Key, size: number): Promise<void>;
  /** Reads content into staging, hashing and counting it on the way. */
  stage(content: AsyncIterable<Uint8Array>): Promise<Staged>;
  /**
   * Staged content becomes the head file, atomically. `durable` (default true): synced first; otherwise `sync` has to be called
   * before anything relies on it. `hasFolder`: the folder of `localPath` is there.
   */
  install(key: Key, staged: Staged, executable: boolean, options?: InstallOptions): Promise<void>;
  /**
   * Absolute path of the head file, for a thread or a program that reads it by itself; `null` where the archive is no plain folder.
   * What is read there may be of a later head.
   */
  localPath(key: Key): string | null;
  /** How others may put content into staging. */
  readonly intake: Intake;
  /** Throws staged content away. */
  discard(staged: Staged): Promise<void>;
  /** Bytes `[from, to)` of staged content. */
  readStaged(staged: Staged, from: number, to: number): AsyncIterable<Buffer>;
  /** Removes the head file. */
  remove(key: Key): Promise<void>;
  /** Makes the head files of `keys` durable. */
  sync(keys: readonly Key[]): Promise<void>;

  /** Keeps content as a version, durable when this resolves. Content that is there already is not written again. */
  keep(content: AsyncIterable<Uint8Array>): Promise<{ readonly sha256: Sha256; readonly bytes: number }>;
  /** Whether this content is kept. */
  holds(sha256: Sha256): Promise<boolean>;
  /** A kept content, checked against its hash at the end. @throws {ArchiveDamaged} when it is missing or damaged. */
  readVersion(sha256: Sha256): AsyncIterable<Buffer>;
  /** Removes a kept content (forget, redact). */
  drop(sha256: Sha256): Promise<void>;
  /** All kept contents, in order of their hashes. */
  contents(): AsyncIterable<Sha256>;
  /** Begins to remove contents that nothing refers to (retention). */
  dropContents(): ContentDropper;

  /** Plain files for deliberate deletes (`forgotten.jsonl`, `redacted.jsonl`), which survive a rebuild. */
  readList(name: string): Promise<string[]>;
  /** Appends one line, durable when this resolves. */
  appendToList(name: string, line: string): Promise<void>;
  /** Keys of all head files (rebuild, verify). */
  keys(): AsyncIterable<Key>;
  space(): Promise<{ freeBytes: number; totalBytes: number } | null>;
}

/**
 * Removes kept contents while others keep new ones. What was kept (again) since this began is left alone: whoever kept it is about to
 * refer to it.
 */
export interface ContentDropper {
  /** @returns whether the content was removed. */
  drop(sha256: Sha256): Promise<boolean>;
  /** Has to be called in the end. */
  close(): void;
}

/** See `Archive.install`. */
export interface InstallOptions {
  readonly durable?: boolean;
  readonly hasFolder?: boolean;
}

/** Content that lies in staging, not yet a head. */
export interface Staged {
  readonly name: string;
  readonly sha256: Sha256;
  readonly bytes: number;
}

/** The archive does not hold what the database says. */
export class ArchiveDamaged extends Error {
  readonly key: string;

  constructor(key: string, found: string, expected: string) {
    super(`archive of ${key}: found ${found}, expected ${expected}`);
    this.name = 'ArchiveDamaged';
    this.key = key;
  }
}
