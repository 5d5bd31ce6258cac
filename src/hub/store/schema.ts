import type { Database } from 'better-sqlite3';
import { MIGRATIONS } from './migrations/index.ts';
import { StoreFromNewerVersion } from './store-errors.ts';

/**
 * Brings the tables of `db` up to date. Each step is one transaction together with its number, so that a crash
 * leaves the database at a whole step.
 * @throws {StoreFromNewerVersion} when the database knows steps that this version does not.
 */
export function migrate(db: Database, migrations: readonly string[] = MIGRATIONS): void {
  const found = db.pragma('user_version', { simple: true }) as number;
  if (found > migrations.length) throw new StoreFromNewerVersion(db.name, found, migrations.length);
  for (const [index, statements] of migrations.entries()) {
    if (index < found) continue;
    db.transaction(() => {
      db.exec(statements);
      db.pragma(`user_version = ${index + 1}`);
    }).immediate();
  }
}
