import type { MachineName, RelativePath, Sha256, UnixMs } from '../../core/domain.ts';
import type { Guards } from '../engine/guards.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { IntentTable, UndoTable } from '../store/store.ts';
import type { KnownFolders } from './known-folders.ts';
import type { Room } from './room.ts';

/** What the guarded writes of one replica work with. */
export interface TreeContext {
  readonly machine: MachineName;
  /** Rooted at claudeDir. */
  readonly fs: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly guards: Guards;
  readonly intents: IntentTable;
  readonly undo: UndoTable;
  /** Resolves when the rows written before are on stable storage. Awaited before anything is taken from its place. */
  readonly flush: () => Promise<void>;
  /** Number of the present connection; part of the names of temps and undo entries. */
  readonly epoch: () => number;
  /** Largest single write in bytes, unless one line alone is longer. */
  readonly maxPacket: number;
  /** Whether a new file is synced to stable storage before it gets its name. */
  readonly durableCreates: boolean;
  /**
   * Whether an append asks the opened file itself before it writes. Costs one round trip; without it a file that is
   * replaced between look and open is noticed only after the write.
   */
  readonly verifyHandle: boolean;
  /**
   * Whether an append reads back what it wrote. Over a network that doubles its bytes, and adds little: the length, asked for behind the
   * write, shows every other writer, and growth is compared with the bytes before it the next time.
   */
  readonly readBack: boolean;
  /** Whether a file that is written now gets this time (the machine's, ms) by itself, as far as anybody cares. */
  readonly isNow: (mtimeMs: UnixMs) => boolean;
  /**
   * Another way to make a temp of a large file than to write it, from what lies at `like`. @returns whether the temp may be there, with
   * the content perhaps. `null` where there is none.
   */
  readonly patchTemp: ((temp: string, like: RelativePath, source: string, size: number) => Promise<boolean>) | null;
  /** SHA-256 of a file of ours, of `size` bytes: hashed where it lies, where that can be. @throws {FileSystemError} */
  readonly hashOf: (path: string, size: number) => Promise<Sha256>;
  /** Folders that need not be looked at again; `null` where looking costs nothing. */
  readonly knownFolders: KnownFolders | null;
  /** Room on the volume. */
  readonly room: Room;
  /** Whether names that differ only in case or normal form are one file on this volume. */
  readonly foldsNames: () => boolean;
  /** Folders whose names were found spelled as asked for on this connection; only used where names fold. */
  readonly spelledFolders: Set<string>;
  /** Undo names that a running operation is still working with; recovery leaves them alone. */
  readonly busyUndo: Set<string>;
}

/** A name nobody else uses: epoch first, so that the next connection can tell it from its own. */
export function privateName(context: Pick<TreeContext, 'epoch' | 'random'>): string {
  return `${context.epoch()}-${context.random.hex(8)}`;
}
