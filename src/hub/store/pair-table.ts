import type { Database } from 'better-sqlite3';
import type { Base, Key, LogCursor, MachineName, Pair, PairState, RelativePath } from '../../core/domain.ts';
import type { SqlRow, SqlValue, TableShape } from './commit-driver.ts';
import { KeyOrder } from './key-order.ts';
import type { PairTable } from './store.ts';
import type { StringPool } from './string-pool.ts';
import type { WriteQueue } from './write-queue.ts';

const FILES: TableShape = {
  name: 'files',
  keyColumns: 2,
  columns: [
    ...['machine', 'key', 'path'],
    ...['seq', 'kind', 'hash', 'size', 'mtime', 'inode', 'executable'],
    ...['cursor', 'evicted_seq', 'state', 'reason'],
  ],
};

interface OneMachine {
  readonly byKey: Map<Key, Pair>;
  readonly byPath: Map<RelativePath, Pair>;
  /** The paths of `byPath`, made when they are asked for the first time. */
  order: KeyOrder | null;
}

/**
 * Table `files`, in memory. Two pairs of a machine should never claim one path; while they do, `atPath` tells
 * the one that was put last.
 */
export class Pairs implements PairTable {
  readonly #queue: WriteQueue;
  readonly #machines = new Map<MachineName, OneMachine>();
  #changed: (machine: MachineName, key: Key) => void = () => undefined;

  constructor(db: Database, queue: WriteQueue, pool: StringPool) {
    this.#queue = queue;
    const rows = db.prepare(`SELECT ${FILES.columns.join(', ')} FROM files`).raw();
    for (const row of rows.iterate() as Iterable<PairColumns>) {
      const pair = decode(row, pool);
      const machine = this.#of(pair.machine);
      machine.byKey.set(pair.key, pair);
      machine.byPath.set(pair.path, pair);
    }
  }

  get(machine: MachineName, key: Key): Pair | undefined {
    return this.#machines.get(machine)?.byKey.get(key);
  }

  put(pair: Pair): void {
    const machine = this.#of(pair.machine);
    const before = machine.byKey.get(pair.key);
    if (before !== undefined && before.path !== pair.path) leavePath(machine, before);
    machine.byKey.set(pair.key, pair);
    if (machine.order !== null && !machine.byPath.has(pair.path)) machine.order.add(pair.path);
    machine.byPath.set(pair.path, pair);
    this.#queue.put(FILES, encode(pair));
    this.#changed(pair.machine, pair.key);
  }

  delete(machine: MachineName, key: Key): void {
    const pairs = this.#machines.get(machine);
    const pair = pairs?.byKey.get(key);
    if (pairs === undefined || pair === undefined) return;
    pairs.byKey.delete(key);
    leavePath(pairs, pair);
    this.#queue.remove(FILES, [machine, key]);
    this.#changed(machine, key);
  }

  ofMachine(machine: MachineName): IterableIterator<Pair> {
    return this.#machines.get(machine)?.byKey.values() ?? new Map<Key, Pair>().values();
  }

  atPath(machine: MachineName, path: RelativePath): Pair | undefined {
    return this.#machines.get(machine)?.byPath.get(path);
  }

  belowPath(machine: MachineName, prefix: string): Pair[] {
    const pairs = this.#machines.get(machine);
    if (pairs === undefined) return [];
    pairs.order ??= new KeyOrder(pairs.byPath.keys());
    return pairs.order.withPrefix(prefix).flatMap((path) => pairs.byPath.get(path) ?? []);
  }

  onChange(listener: (machine: MachineName, key: Key) => void): void {
    this.#changed = listener;
  }

  ofKey(key: Key): Pair[] {
    const found: Pair[] = [];
    for (const { byKey } of this.#machines.values()) {
      const pair = byKey.get(key);
      if (pair !== undefined) found.push(pair);
    }
    return found;
  }

  deleteMachine(machine: MachineName): void {
    const keys = [...(this.#machines.get(machine)?.byKey.keys() ?? [])];
    this.#machines.delete(machine);
    for (const key of keys) {
      this.#queue.remove(FILES, [machine, key]);
      this.#changed(machine, key);
    }
  }

  #of(machine: MachineName): OneMachine {
    let pairs = this.#machines.get(machine);
    if (pairs === undefined)
      this.#machines.set(machine, (pairs = { byKey: new Map(), byPath: new Map(), order: null }));
    return pairs;
  }
}

function leavePath(machine: OneMachine, pair: Pair): void {
  if (machine.byPath.get(pair.path) !== pair) return;
  machine.byPath.delete(pair.path);
  machine.order?.remove(pair.path);
}

type PairColumns = [
  ...[machine: string, key: string, path: string],
  ...[
    seq: number,
    kind: Base['kind'] | null,
    hash: string | null,
    size: number,
    mtime: number,
    inode: string,
    executable: number,
  ],
  ...[cursor: string | null, evictedSeq: number | null, state: PairState, reason: string | null],
];

const NOTHING_MISSING: LogCursor['missing'] = [];

function decode(row: PairColumns, pool: StringPool): Pair {
  const [machine, key, path, seq, kind, hash, fileBytes, mtimeMs, inode, executable] = row;
  const [cursor, evictedSeq, state, reason] = row.slice(10) as [string | null, number | null, PairState, string | null];
  const base: Base | null =
    kind === null
      ? null
      : {
          seq,
          kind: pool.one(kind),
          hash: pool.oneOrNull(hash),
          fileBytes,
          mtimeMs,
          inode,
          executable: executable === 1,
          cursor: cursor === null ? null : decodeCursor(cursor),
        };
  return {
    machine: pool.one(machine),
    key: pool.one(key),
    path: pool.one(path),
    base,
    evictedSeq,
    state: pool.one(state),
    reason: pool.oneOrNull(reason),
  };
}

/** The cursor is one JSON column: nobody asks the database for its parts, and it is what changes most from version to version. */
function decodeCursor(json: string): LogCursor {
  const cursor = JSON.parse(json) as LogCursor;
  return cursor.missing.length === 0 ? { ...cursor, missing: NOTHING_MISSING } : cursor;
}

const NO_BASE: SqlRow = Array<SqlValue>(8).fill(null);

function encode({ machine, key, path, base, evictedSeq, state, reason }: Pair): SqlRow {
  return [machine, key, path, ...(base === null ? NO_BASE : encodeBase(base)), evictedSeq, state, reason];
}

function encodeBase({ seq, kind, hash, fileBytes, mtimeMs, inode, executable, cursor }: Base): SqlRow {
  return [
    seq,
    kind,
    hash,
    fileBytes,
    mtimeMs,
    inode,
    executable ? 1 : 0,
    cursor === null ? null : JSON.stringify(cursor),
  ];
}
