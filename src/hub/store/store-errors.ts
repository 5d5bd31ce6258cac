import { StoreUnwritable } from './store.ts';

/** The database file is damaged and cannot be opened. Heads and versions are files of the archive and are not touched. */
export class StoreDamaged extends Error {
  readonly path: string;

  constructor(path: string, reason: string, cause?: unknown) {
    super(
      `the hub's database ${path} is damaged (${reason}). The archive and all machines are unchanged. ` +
        `Move ${path} away (with ${path}-wal and ${path}-shm, if they are there) and start the hub: it makes a new database from ` +
        'what lies on the machines and keeps what only its archive has as versions (claude-sync versions, restore --version). Earlier ' +
        'versions stay in the folder `versions` beside it, but this version of the program cannot list them then.',
      { cause },
    );
    this.name = 'StoreDamaged';
    this.path = path;
  }
}

/** The database was written by a newer version of the product, whose tables this version does not know. */
export class StoreFromNewerVersion extends Error {
  readonly path: string;

  constructor(path: string, found: number, known: number) {
    super(
      `the hub's database ${path} was written by a newer version (schema ${found}, this version knows up to ${known}). ` +
        'Nothing was changed. Install the newer version again, or restore the database from a backup made before the upgrade.',
    );
    this.name = 'StoreFromNewerVersion';
    this.path = path;
  }
}

/** The database cannot be opened at all (no rights, no space, a folder in its place). Nothing was changed. */
export class StoreUnopenable extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(
      `the hub's database ${path} cannot be opened: ${writeTrouble(cause)}. Nothing was changed. ` +
        'Check the rights and the free space of its folder, then start the hub again.',
      { cause },
    );
    this.name = 'StoreUnopenable';
    this.path = path;
  }
}

/** SQLite's own error code (`SQLITE_FULL`, `SQLITE_IOERR_WRITE`, ...), or the empty string for any other error. */
export function sqliteCode(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : '';
}

/** Whether SQLite says that no room is left. */
export function saysFull(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_FULL');
}

/** Whether SQLite says that the file itself is broken. */
export function saysDamaged(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));
}

/** Any failure of a commit as the error that `flush` promises. */
export function toStoreUnwritable(error: unknown): StoreUnwritable {
  return error instanceof StoreUnwritable ? error : new StoreUnwritable(writeTrouble(error), error);
}

function writeTrouble(error: unknown): string {
  const code = sqliteCode(error);
  if (saysFull(error)) return 'its disk is full';
  if (code.startsWith('SQLITE_READONLY')) return 'the file or its disk is read-only';
  if (code.startsWith('SQLITE_IOERR')) return `the disk reports an error (${code})`;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'another program holds a lock on it';
  if (code.startsWith('SQLITE_CANTOPEN')) return 'the file cannot be opened';
  if (saysDamaged(error)) return 'the file is damaged; stop the hub and start it again: it says what to do';
  return error instanceof Error ? error.message : String(error);
}
