import type { Database } from 'better-sqlite3';
import type { Head, Key, Sha256 } from '../../core/domain.ts';
import type { SegmentHashes } from '../../core/log/segments.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import { KeyOrder } from './key-order.ts';
import type { HeadTable } from './store.ts';
import type { StringPool } from './string-pool.ts';
import type { WriteQueue } from './write-queue.ts';

const HEADS: TableShape = {
  name: 'heads',
  keyColumns: 1,
  columns: ['key', 'seq', 'kind', 'size', 'hash', 'mtime', 'executable', 'origin'],
};
const SEGMENTS: TableShape = { name: 'segments', keyColumns: 1, columns: ['key', 'hashes', 'bytes'] };
const HASH_BYTES = 32;

/** Table `heads` with `segments`, in memory. */
export class Heads implements HeadTable {
  readonly #queue: WriteQueue;
  readonly #heads = new Map<Key, Head>();
  readonly #segments = new Map<Key, SegmentHashes>();
  readonly #order: KeyOrder;
  readonly #listeners = new Set<(key: Key) => void>();
  #files = 0;
  #bytes = 0;

  constructor(db: Database, queue: WriteQueue, pool: StringPool) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${HEADS.columns.join(', ')} FROM heads`).raw();
    for (const row of rows.iterate() as Iterable<HeadColumns>) {
      const head = decode(row, pool);
      this.#heads.set(head.key, head);
      this.#count(head, 1);
    }
    const segments = db.prepare('SELECT key, hashes, bytes FROM segments').raw();
    for (const [key, hashes, bytes] of segments.iterate() as Iterable<[Key, Buffer, number]>) {
      this.#segments.set(pool.one(key), { bytes, hashes: unpack(hashes) });
    }
    this.#order = new KeyOrder(this.#heads.keys());
  }

  get count(): number {
    return this.#heads.size;
  }

  get files(): { readonly count: number; readonly bytes: number } {
    return { count: this.#files, bytes: this.#bytes };
  }

  get(key: Key): Head | undefined {
    return this.#heads.get(key);
  }

  put(head: Head): void {
    const before = this.#heads.get(head.key);
    if (before === undefined) this.#order.add(head.key);
    else this.#count(before, -1);
    this.#count(head, 1);
    this.#heads.set(head.key, head);
    this.#queue.put(HEADS, encode(head));
    this.#changed(head.key);
  }

  delete(key: Key): void {
    const before = this.#heads.get(key);
    if (before !== undefined) {
      this.#heads.delete(key);
      this.#count(before, -1);
      this.#order.remove(key);
      this.#queue.remove(HEADS, [key]);
      this.#changed(key);
    }
    if (this.#segments.delete(key)) this.#queue.remove(SEGMENTS, [key]);
  }

  #count(head: Head, by: 1 | -1): void {
    // All prompts together are counted where they lie: a file for each machine they came from.
    if (head.kind !== 'file' || head.key === 'history') return;
    this.#files += by;
    this.#bytes += by * head.size;
  }

  onChange(listener: (key: Key) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(key: Key): void {
    for (const listener of this.#listeners) listener(key);
  }

  values(): IterableIterator<Head> {
    return this.#heads.values();
  }

  withPrefix(prefix: string): Key[] {
    return this.#order.withPrefix(prefix);
  }

  segments(key: Key): SegmentHashes | null {
    return this.#segments.get(key) ?? null;
  }

  putSegments(key: Key, segments: SegmentHashes | null): void {
    if (segments === null) {
      if (this.#segments.delete(key)) this.#queue.remove(SEGMENTS, [key]);
      return;
    }
    this.#segments.set(key, segments);
    this.#queue.put(SEGMENTS, [key, pack(segments.hashes), segments.bytes]);
  }
}

type HeadColumns = [string, number, Head['kind'], number, string | null, number, number, string];

function decode(row: HeadColumns, pool: StringPool): Head {
  const [key, seq, kind, size, hash, mtimeMs, executable, origin] = row;
  return {
    key: pool.one(key),
    seq,
    kind: pool.one(kind),
    size,
    hash: pool.oneOrNull(hash),
    mtimeMs,
    executable: executable === 1,
    origin: pool.one(origin),
  };
}

function encode(head: Head): SqlRow {
  return [head.key, head.seq, head.kind, head.size, head.hash, head.mtimeMs, head.executable ? 1 : 0, head.origin];
}

function pack(segments: readonly Sha256[]): Uint8Array {
  return Buffer.from(segments.join(''), 'hex');
}

function unpack(hashes: Buffer): Sha256[] {
  const segments: Sha256[] = [];
  for (let at = 0; at < hashes.length; at += HASH_BYTES) segments.push(hashes.toString('hex', at, at + HASH_BYTES));
  return segments;
}
