import type { Key, Sha256 } from '../../core/domain.ts';
import type { VersionRow } from './store.ts';

/** What became of one version, and which commit group carries that to the database. */
interface Change {
  readonly key: Key;
  readonly version: number;
  /** `null`: the row was deleted. */
  readonly row: VersionRow | null;
  readonly group: number;
}

/**
 * Versions that were added or deleted but are not in the database yet. Every question names the last committed group, and what
 * that group and earlier ones carried is forgotten first.
 */
export class UncommittedVersions {
  /** The latest change of each version. */
  readonly #latest = new Map<Key, Map<number, Change>>();
  /** How many added rows name a content. */
  readonly #contents = new Map<Sha256, number>();
  /** Every change, in the order of the groups. */
  #queue: Change[] = [];
  #seen = 0;

  put(row: VersionRow, group: number): void {
    this.#set({ key: row.key, version: row.version, row, group });
  }

  remove(key: Key, version: number, group: number): void {
    this.#set({ key, version, row: null, group });
  }

  /** Changed versions of `key`. */
  ofKey(key: Key, committed: number): ReadonlyMap<number, Change> {
    this.#forget(committed);
    return this.#latest.get(key) ?? NOTHING;
  }

  /** Whether an added row names this content. */
  holds(sha256: Sha256, committed: number): boolean {
    this.#forget(committed);
    return this.#contents.has(sha256);
  }

  /** All added rows, in no order. */
  rows(committed: number): VersionRow[] {
    this.#forget(committed);
    const rows: VersionRow[] = [];
    for (const changes of this.#latest.values())
      for (const { row } of changes.values()) if (row !== null) rows.push(row);
    return rows;
  }

  #set(change: Change): void {
    let changes = this.#latest.get(change.key);
    if (changes === undefined) this.#latest.set(change.key, (changes = new Map<number, Change>()));
    this.#count(changes.get(change.version)?.row, -1);
    this.#count(change.row, 1);
    changes.set(change.version, change);
    this.#queue.push(change);
  }

  #count(row: VersionRow | null | undefined, by: number): void {
    if (row === null || row === undefined) return;
    const count = (this.#contents.get(row.sha256) ?? 0) + by;
    if (count === 0) this.#contents.delete(row.sha256);
    else this.#contents.set(row.sha256, count);
  }

  #forget(committed: number): void {
    if (committed === this.#seen) return;
    this.#seen = committed;
    const rest = this.#queue.findIndex((change) => change.group > committed);
    const done = rest === -1 ? this.#queue : this.#queue.slice(0, rest);
    this.#queue = rest === -1 ? [] : this.#queue.slice(rest);
    for (const change of done) {
      const changes = this.#latest.get(change.key);
      // Changed again meanwhile: a later group carries that.
      if (changes?.get(change.version) !== change) continue;
      this.#count(change.row, -1);
      changes.delete(change.version);
      if (changes.size === 0) this.#latest.delete(change.key);
    }
  }
}

const NOTHING: ReadonlyMap<number, Change> = new Map();
