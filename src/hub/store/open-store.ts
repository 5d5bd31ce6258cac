import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../ports/clock.ts';
import type { CommitDriver } from './commit-driver.ts';
import { HubStore } from './hub-store.ts';
import { InlineDriver } from './inline-driver.ts';
import { migrate } from './schema.ts';
import { beginSession, wasClosed } from './session.ts';
import { saysDamaged, sqliteCode, StoreDamaged, StoreUnopenable } from './store-errors.ts';
import type { Store } from './store.ts';
import { ThreadDriver } from './thread-driver.ts';

export interface StoreOptions {
  readonly clock: Clock;
  /**
   * Told when a commit fails that no `flush` waits for; once, until commits succeed again. The writes are kept and tried again
   * every second. By default nobody is told, and the next `flush` rejects.
   */
  readonly onTrouble?: (error: Error) => void;
}

export interface OpenStoreOptions extends StoreOptions {
  /** Database file; made with mode 0600 in a folder of mode 0700 when it is missing. */
  readonly path: string;
  /** `thread` (default): transactions run on a thread of their own. `inline`: on this one; always so for `:memory:`. */
  readonly driver?: 'inline' | 'thread';
  /** The writer thread's entry in a bundle; by default the file next to this one. */
  readonly workerUrl?: URL;
}

/** A store that commits on the calling thread. */
export interface InlineStore extends Store {
  /**
   * Forgets every write that is not committed and never writes again, as if the process had been killed here. A `flush` that is
   * waited for never resolves.
   */
  abandon(): void;
}

/**
 * Opens the hub's database, makes or upgrades its tables and loads it.
 * @throws {StoreDamaged} when the file is not a sound database.
 * @throws {StoreFromNewerVersion} when a newer version wrote it.
 * @throws {StoreUnopenable} when it cannot be opened or written.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  if (options.driver === 'inline' || options.path === ':memory:') return openStoreInline(options);
  return openFile(options.path, (db, path) => {
    const thread = new ThreadDriver(path, options.workerUrl ?? besideThisFile());
    const driver: CommitDriver = {
      commit: (batch) => thread.commit(batch),
      async close() {
        // The last connection that closes moves the log into the database: let that be the thread's.
        db.close();
        await thread.close();
      },
    };
    const makeDriver = (): CommitDriver => {
      // The tables are up to date by now. The thread opens them while they are loaded here.
      thread.begin();
      return driver;
    };
    try {
      return load(db, makeDriver, options);
    } catch (error) {
      // What it could not do does not matter any more, and must not be told in place of why the database cannot be used.
      thread.close().catch(() => undefined);
      throw error;
    }
  });
}

/** `openStore` with the inline driver, without waiting for anything. Throws the same errors. */
export function openStoreInline(options: StoreOptions & { readonly path: string }): InlineStore {
  return openFile(options.path, (db) => load(db, () => new InlineDriver(db, () => db.close()), options));
}

/**
 * An inline store on a connection that stays the caller's: `close` does not close it. Dropping (or `abandon`ing) the store
 * loses exactly the writes that were not committed, and another store may be opened on the same connection; earlier ones
 * cannot write to it then.
 */
export function openStoreOn(db: Database.Database, options: StoreOptions): InlineStore {
  return load(db, () => new InlineDriver(db, () => undefined), options);
}

/** The connection is closed again when `use` fails. */
function openFile<T>(path: string, use: (db: Database.Database, path: string) => T): T {
  const inMemory = path === ':memory:';
  const file = inMemory ? path : resolve(path);
  let db: Database.Database | undefined;
  try {
    if (!inMemory) makeFile(file);
    db = new Database(file, { timeout: 1000 });
    db.pragma('journal_mode = WAL');
    return use(db, file);
  } catch (error) {
    db?.close();
    if (saysDamaged(error)) throw new StoreDamaged(file, (error as Error).message, error);
    const systemError = error instanceof Error && 'syscall' in error;
    if (sqliteCode(error) !== '' || systemError) throw new StoreUnopenable(file, error);
    throw error;
  }
}

/** SQLite gives the files beside the database the database's own mode, so only this one has to be made private. */
function makeFile(file: string): void {
  const isNew = !existsSync(file);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
  if (isNew) syncFolder(dirname(file));
}

/** Makes the new name survive a power failure. Windows has no such call, and does not need it. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function load(db: Database.Database, makeDriver: () => CommitDriver, options: StoreOptions): HubStore {
  migrate(db);
  // After a crash the pages that are only read on demand (versions, log) are checked now, not when somebody needs them.
  if (!wasClosed(db)) assertSound(db);
  const session = beginSession(db);
  const onTrouble = options.onTrouble ?? (() => undefined);
  return new HubStore({ db, session, driver: makeDriver(), clock: options.clock, onTrouble });
}

function assertSound(db: Database.Database): void {
  const [finding] = db.pragma('quick_check(1)') as { quick_check: string }[];
  if (finding?.quick_check !== 'ok') throw new StoreDamaged(db.name, finding?.quick_check ?? 'no answer to a check');
}

function besideThisFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js', import.meta.url);
}
