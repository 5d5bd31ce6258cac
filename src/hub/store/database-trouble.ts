import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { MIGRATIONS } from './migrations/index.ts';
import { saysDamaged, StoreDamaged, StoreFromNewerVersion, StoreUnopenable } from './store-errors.ts';

/**
 * Why a hub could not use this database file, from a look that changes nothing; `null` when nothing speaks against it (also when there
 * is none yet). A start looks closer.
 */
export function databaseTrouble(path: string): Error | null {
  if (!existsSync(path)) return null;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
    const found = db.pragma('user_version', { simple: true }) as number;
    return found > MIGRATIONS.length ? new StoreFromNewerVersion(path, found, MIGRATIONS.length) : null;
  } catch (error) {
    if (saysDamaged(error)) return new StoreDamaged(path, (error as Error).message, error);
    return new StoreUnopenable(path, error);
  } finally {
    db?.close();
  }
}
