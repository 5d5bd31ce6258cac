import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { lockPath } from './lock-path.ts';
import { readHubFile, type HubFile } from './rpc/hub-file.ts';

/** A living hub, as far as it has said who it is: nothing while it is still starting. */
export interface LockOwner {
  readonly file: HubFile | null;
}

/**
 * The hub that holds a data folder now, whether or not it answers at its socket; `null` when there is none. The lock tells it, which
 * the system takes back when a process ends: a number in a file could be anybody's by now.
 * @throws the database's error when the lock cannot be looked at.
 */
export async function lockOwner(dataDir: string): Promise<LockOwner | null> {
  const path = lockPath(dataDir);
  if (!existsSync(path) || !isLocked(path)) return null;
  return { file: await readHubFile(dataDir) };
}

function isLocked(path: string): boolean {
  const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 0 });
  try {
    // Any read needs a lock that the owner's excludes. It is given back at once; a start that meets it waits for a moment.
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return true;
    throw error;
  } finally {
    database.close();
  }
}
