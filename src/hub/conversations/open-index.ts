import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';

/**
 * Form of the index. One of another form is thrown away and made again from the archive: to be counted up with every change of the tables,
 * of `ROLES`, and of what `core/conversation` finds in a record.
 */
const FORM = 2;

/**
 * - `logs`: one row per transcript and subagent log; `bytes` of its file are in the index, `tail` is how they end, and `inode` tells
 *   whether it is still that file (the archive only appends to a file, everything else gives it another inode).
 * - `records`: one row per record with a uuid, and per title. The tree is by row: `parent` is the record that bore the uuid *when this one came*,
 *   because after a compaction records come again with the same uuid. `on_branch`: on the way from the active leaf to the root, of which `depth` is the
 *   place. `roles`: bits of the passages it has.
 * - `calls`: tools that were called and what they returned; `answers`: answers of the API that were counted.
 * - `secrets`: lines that hold secrets, by kind; `looked` of a log is how far it was looked through.
 * - `passages`: the words; the row is `8 * record + role`, so the newest comes last. The texts stay in the archive.
 */
const TABLES = `
  CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    agent TEXT,
    project TEXT,
    path TEXT NOT NULL,
    inode TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    tail TEXT NOT NULL,
    looked INTEGER NOT NULL DEFAULT 0,
    leaf INTEGER,
    turn INTEGER,
    tally TEXT NOT NULL,
    title TEXT,
    first_at INTEGER,
    last_at INTEGER,
    prompts INTEGER NOT NULL,
    tokens INTEGER NOT NULL
  );
  CREATE INDEX logs_session ON logs (session);
  CREATE TABLE titles (session TEXT PRIMARY KEY, title TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    start INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    uuid BLOB,
    parent INTEGER,
    depth INTEGER NOT NULL,
    on_branch INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    at INTEGER,
    tool INTEGER,
    roles INTEGER NOT NULL
  );
  CREATE INDEX records_uuid ON records (log, uuid);
  CREATE INDEX records_branch ON records (log, depth) WHERE on_branch = 1;
  CREATE TABLE calls (log INTEGER, call TEXT, used INTEGER, result INTEGER, PRIMARY KEY (log, call)) WITHOUT ROWID;
  CREATE TABLE answers (log INTEGER, message TEXT, PRIMARY KEY (log, message)) WITHOUT ROWID;
  CREATE TABLE secrets (log INTEGER, start INTEGER, kind TEXT, count INTEGER, PRIMARY KEY (log, start, kind)) WITHOUT ROWID;
  CREATE TABLE tools (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE VIRTUAL TABLE passages USING fts5 (
    text, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none', prefix = '2'
  );
`;

/**
 * Opens the index for the worker that writes it. A damaged one, or one of another form, is made anew: all of it comes from the archive.
 * @param onAnew called when there was one that could not be used, with the reason.
 */
export function openIndexForWriting(path: string, onAnew: (reason: string) => void): Database.Database {
  try {
    return opened(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    onAnew(error.message);
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
    return opened(path);
  }
}

/** Opens the index for searching; `null` while there is none. */
export function openIndexForReading(path: string): Database.Database | null {
  let db: Database.Database;
  try {
    db = new Database(path, { fileMustExist: true, timeout: 5_000 });
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'SQLITE_CANTOPEN') return null;
    throw error;
  }
  if (db.pragma('user_version', { simple: true }) === FORM) {
    db.pragma('query_only = ON');
    db.pragma('cache_size = -16000');
    // Pages of the index are read where they lie in memory already.
    db.pragma('mmap_size = 1073741824');
    return db;
  }
  db.close();
  return null;
}

function opened(path: string): Database.Database {
  const db = new Database(path, { timeout: 5_000 });
  try {
    db.pragma('page_size = 8192');
    db.pragma('journal_mode = WAL');
    // A power failure may cost the last lines of the index, which are indexed again; it does not damage it.
    db.pragma('synchronous = NORMAL');
    // A large index is written in large steps: 64 MB of the journal at a time.
    db.pragma('wal_autocheckpoint = 8000');
    db.pragma('cache_size = -4000');
    // What is forgotten must not be found in the free pages of the file.
    db.pragma('secure_delete = ON');
    const form = db.pragma('user_version', { simple: true });
    if (form === FORM) {
      const check = db.prepare('SELECT count(*) AS count FROM logs').get();
      if (check === undefined) throw new Error('the index has no tables');
      return db;
    }
    if (form !== 0) throw new Error(`the index has form ${String(form)}, this version makes form ${FORM}`);
    db.transaction(() => {
      db.exec(TABLES);
      // Words are gathered in memory, this many bytes of them, before they are written.
      db.exec("INSERT INTO passages (passages, rank) VALUES ('hashsize', 4194304)");
      db.pragma(`user_version = ${FORM}`);
    })();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
