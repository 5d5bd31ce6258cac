import type { Database, Statement } from 'better-sqlite3';
import type { Key, Sha256, UnixMs, VersionReason } from '../../core/domain.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { VersionRow, VersionTable } from './store.ts';
import { UncommittedVersions } from './uncommitted-versions.ts';
import type { WriteQueue } from './write-queue.ts';

const VERSIONS: TableShape = {
  name: 'versions',
  keyColumns: 2,
  columns: ['key', 'version', 'machine', 'at', 'bytes', 'sha256', 'reason', 'executable', 'mtime'],
};
const COLUMNS = VERSIONS.columns.join(', ');
const PAGE = 500;

/**
 * Table `versions`. It grows with every year of use, so it stays in the database and only what is not committed yet
 * is in memory; every read lays the one over the other.
 */
export class Versions implements VersionTable {
  readonly #queue: WriteQueue;
  readonly #uncommitted = new UncommittedVersions();
  readonly #ofKey: Statement;
  readonly #one: Statement;
  readonly #ofContent: Statement;
  readonly #page: Statement;
  #totalBytes: number;

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    this.#ofKey = db.prepare(`SELECT ${COLUMNS} FROM versions WHERE key = ?`).raw();
    this.#one = db.prepare(`SELECT ${COLUMNS} FROM versions WHERE key = ? AND version = ?`).raw();
    this.#ofContent = db.prepare('SELECT key, version FROM versions WHERE sha256 = ?').raw();
    this.#page = db
      .prepare(
        `SELECT ${COLUMNS} FROM versions WHERE (at, key, version) > (?, ?, ?) ORDER BY at, key, version LIMIT ${PAGE}`,
      )
      .raw();
    this.#totalBytes = db
      .prepare('SELECT coalesce(sum(bytes), 0) FROM (SELECT max(bytes) AS bytes FROM versions GROUP BY sha256)')
      .pluck()
      .get() as number;
  }

  add(row: Omit<VersionRow, 'version'>): VersionRow {
    const newest = this.list(row.key)[0];
    if (newest !== undefined && newest.sha256 === row.sha256 && newest.reason === row.reason) return newest;
    const added: VersionRow = { ...row, version: (newest?.version ?? 0) + 1 };
    if (!this.holds(row.sha256)) this.#totalBytes += row.bytes;
    this.#uncommitted.put(added, this.#queue.put(VERSIONS, encode(added)));
    return added;
  }

  list(key: Key): VersionRow[] {
    const changed = this.#uncommitted.ofKey(key, this.#queue.committed);
    const rows = (this.#ofKey.all(key) as VersionColumns[]).map(decode).filter((row) => !changed.has(row.version));
    for (const { row } of changed.values()) if (row !== null) rows.push(row);
    return rows.sort((a, b) => b.version - a.version);
  }

  get(key: Key, version: number): VersionRow | undefined {
    const changed = this.#uncommitted.ofKey(key, this.#queue.committed).get(version);
    if (changed !== undefined) return changed.row ?? undefined;
    const row = this.#one.get(key, version) as VersionColumns | undefined;
    return row && decode(row);
  }

  holds(sha256: Sha256): boolean {
    if (this.#uncommitted.holds(sha256, this.#queue.committed)) return true;
    for (const [key, version] of this.#ofContent.all(sha256) as [Key, number][]) {
      if (!this.#uncommitted.ofKey(key, this.#queue.committed).has(version)) return true;
    }
    return false;
  }

  deleteKey(key: Key): void {
    for (const { version } of this.list(key)) this.delete(key, version);
  }

  delete(key: Key, version: number): void {
    const row = this.get(key, version);
    if (row === undefined) return;
    this.#uncommitted.remove(key, version, this.#queue.remove(VERSIONS, [key, version]));
    if (!this.holds(row.sha256)) this.#totalBytes -= row.bytes;
  }

  /** Reads page by page, because a statement that is being iterated over would keep the connection from committing. */
  *all(): IterableIterator<VersionRow> {
    let after: Place = { at: -Infinity, key: '', version: 0 };
    for (;;) {
      const rows = (this.#page.all(after.at, after.key, after.version) as VersionColumns[]).map(decode);
      const last = rows.length === PAGE ? rows[PAGE - 1] : undefined;
      const page = rows.filter((row) => !this.#uncommitted.ofKey(row.key, this.#queue.committed).has(row.version));
      for (const row of this.#uncommitted.rows(this.#queue.committed)) {
        if (byPlace(row, after) > 0 && (last === undefined || byPlace(row, last) <= 0)) page.push(row);
      }
      yield* page.sort(byPlace);
      if (last === undefined) return;
      after = last;
    }
  }

  totalBytes(): number {
    return this.#totalBytes;
  }
}

type Place = Pick<VersionRow, 'at' | 'key' | 'version'>;

function byPlace(a: Place, b: Place): number {
  // Keys in the order of SQLite, which compares UTF-8 bytes.
  return a.at - b.at || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.version - b.version;
}

type VersionColumns = [Key, number, string, UnixMs, number, Sha256, VersionReason, number, UnixMs];

function decode(row: VersionColumns): VersionRow {
  const [key, version, machine, at, bytes, sha256, reason, executable, mtimeMs] = row;
  return { key, version, machine, at, bytes, sha256, reason, executable: executable === 1, mtimeMs };
}

function encode(row: VersionRow): SqlRow {
  const { key, version, machine, at, bytes, sha256, reason, executable, mtimeMs } = row;
  return [key, version, machine, at, bytes, sha256, reason, executable ? 1 : 0, mtimeMs];
}
