import type { Clock } from '../ports/clock.ts';
import type {
  Batch,
  CommitDriver,
  FreeStatement,
  SqlRow,
  SqlValue,
  TableChanges,
  TableShape,
} from './commit-driver.ts';
import { toStoreUnwritable } from './store-errors.ts';
import { GROUP_COMMIT_MS } from './store.ts';
import type { StoreUnwritable } from './store.ts';

/** A group with this many changed rows does not wait for its time. */
const GROUP_ROWS = 2000;

/** After a commit that failed, with nobody waiting, the next try comes this much later. */
const RETRY_MS = 1000;

export interface WriteQueueOptions {
  readonly driver: CommitDriver;
  readonly clock: Clock;
  readonly epoch: number;
  /** Told about a failed commit that no `flush` waits for, once until a commit succeeds again. */
  readonly onTrouble: (error: StoreUnwritable) => void;
}

/**
 * Changed rows on their way to the database, coalesced by primary key. One group is committed at a time and as one transaction,
 * so the database always holds what the memory held at one moment, never a mixture of two. A group that fails is
 * joined with the one behind it and tried again.
 */
export class WriteQueue {
  readonly #driver: CommitDriver;
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #onTrouble: (error: StoreUnwritable) => void;
  #next = new Group(1);
  #inFlight: Group | null = null;
  #committed = 0;
  #due = false;
  #cancelTimer: (() => void) | null = null;
  #unsynced = false;
  #failing = false;
  #ended: 'no' | 'closing' | 'closed' | 'abandoned' = 'no';
  #waiting: Waiting[] = [];

  constructor(options: WriteQueueOptions) {
    this.#driver = options.driver;
    this.#clock = options.clock;
    this.#epoch = options.epoch;
    this.#onTrouble = options.onTrouble;
  }

  /** Number of the last group that is in the database; compare with what `put` and `remove` return. */
  get committed(): number {
    return this.#committed;
  }

  /** Queues a whole row. @returns the number of the group that will carry it. */
  put(shape: TableShape, row: SqlRow): number {
    return this.#change(shape, row.slice(0, shape.keyColumns), row);
  }

  /** Queues the removal of the row with this primary key. @returns the number of the group that will carry it. */
  remove(shape: TableShape, key: SqlRow): number {
    return this.#change(shape, key, null);
  }

  /** Queues a statement that runs before the rows of its group. */
  run(statement: FreeStatement): void {
    this.#assertOpen();
    this.#next.statements.push(statement);
    this.#schedule(GROUP_COMMIT_MS);
  }

  /** Makes the next commit a synced one. */
  wantDurable(): void {
    this.#next.durable = true;
    this.#schedule(GROUP_COMMIT_MS);
  }

  /** See `Store.flush`. */
  flush(durable: boolean): Promise<void> {
    if (this.#ended === 'closed') return Promise.resolve();
    if (this.#ended === 'abandoned') return new Promise(() => undefined);
    if (durable && (this.#inFlight ? !this.#inFlight.durable : this.#unsynced)) this.#next.durable = true;
    const group = !this.#next.empty ? this.#next : this.#inFlight;
    if (group === null) return Promise.resolve();
    if (durable && group === this.#next) this.#next.durable = true;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ group: group.number, resolve, reject });
      this.#commitNext();
    });
  }

  /** Flushes durably and closes the driver, also when the flush fails. */
  async close(): Promise<void> {
    if (this.#ended !== 'no') return;
    this.#ended = 'closing';
    try {
      await this.flush(true);
    } finally {
      this.#stop('closed');
      await this.#driver.close();
    }
  }

  /** From now on nothing is written any more, as if the process had been killed. What waits for a flush waits for ever. */
  abandon(): void {
    this.#stop('abandoned');
  }

  #stop(how: 'closed' | 'abandoned'): void {
    this.#ended = how;
    this.#stopTimer();
    this.#waiting = [];
  }

  get #stopped(): boolean {
    return this.#ended === 'closed' || this.#ended === 'abandoned';
  }

  #change(shape: TableShape, key: SqlRow, row: SqlRow | null): number {
    this.#assertOpen();
    this.#next.change(shape, key, row);
    if (this.#next.rows === GROUP_ROWS) {
      // Behind the caller's synchronous step: what it writes together is committed together.
      queueMicrotask(() => {
        this.#due = true;
        this.#commitNext();
      });
    }
    this.#schedule(GROUP_COMMIT_MS);
    return this.#next.number;
  }

  #assertOpen(): void {
    if (this.#ended === 'closing' || this.#ended === 'closed')
      throw new Error('the store is closed; nothing can be written to it');
  }

  #schedule(ms: number): void {
    if (this.#cancelTimer !== null || this.#stopped) return;
    this.#cancelTimer = this.#clock.after(ms, () => {
      this.#cancelTimer = null;
      this.#due = true;
      this.#commitNext();
    });
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  #commitNext(): void {
    if (this.#inFlight !== null || this.#stopped || this.#next.empty) return;
    if (!this.#due && this.#waiting.length === 0) return;
    const group = this.#next;
    this.#inFlight = group;
    this.#next = new Group(group.number + 1);
    this.#due = false;
    this.#stopTimer();
    this.#driver.commit(group.batch(this.#epoch)).then(
      () => this.#onCommitted(group),
      (error: unknown) => this.#onFailed(group, toStoreUnwritable(error)),
    );
  }

  #onCommitted(group: Group): void {
    this.#inFlight = null;
    this.#committed = group.number;
    this.#unsynced = !group.durable;
    this.#failing = false;
    const done = this.#waiting.filter((waiting) => waiting.group <= group.number);
    this.#waiting = this.#waiting.filter((waiting) => waiting.group > group.number);
    for (const waiting of done) waiting.resolve();
    this.#commitNext();
  }

  #onFailed(group: Group, error: StoreUnwritable): void {
    this.#inFlight = null;
    this.#next.takeOver(group);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#due = false;
    this.#stopTimer();
    this.#schedule(RETRY_MS);
    // Later groups cannot be committed before this one, so everybody who waits learns of it.
    for (const one of waiting) one.reject(error);
    if (waiting.length === 0 && !this.#failing && this.#ended === 'no') {
      this.#failing = true;
      this.#onTrouble(error);
    }
  }
}

interface Waiting {
  readonly group: number;
  resolve(): void;
  reject(error: Error): void;
}

type Change = { readonly key: SqlRow; readonly row: SqlRow | null };

/** The changes that will be one transaction. */
class Group {
  readonly number: number;
  durable = false;
  rows = 0;
  statements: FreeStatement[] = [];
  readonly #tables = new Map<string, { readonly shape: TableShape; readonly changes: Map<SqlValue, Change> }>();

  constructor(number: number) {
    this.number = number;
  }

  get empty(): boolean {
    return this.rows === 0 && this.statements.length === 0 && !this.durable;
  }

  change(shape: TableShape, key: SqlRow, row: SqlRow | null): void {
    let table = this.#tables.get(shape.name);
    if (!table) this.#tables.set(shape.name, (table = { shape, changes: new Map() }));
    const identity = key.length === 1 ? key[0]! : key.join('\0');
    if (!table.changes.has(identity)) this.rows++;
    table.changes.set(identity, { key, row });
  }

  /** Takes what an earlier group carried; where both changed a row, the later change stays. */
  takeOver(earlier: Group): void {
    this.durable ||= earlier.durable;
    this.statements = [...earlier.statements, ...this.statements];
    for (const [name, { shape, changes }] of earlier.#tables) {
      const newer = this.#tables.get(name)?.changes;
      for (const [identity, { key, row }] of changes) if (!newer?.has(identity)) this.change(shape, key, row);
    }
  }

  batch(epoch: number): Batch {
    const tables: TableChanges[] = [];
    for (const { shape, changes } of this.#tables.values()) {
      const upserts: SqlRow[] = [];
      const deletes: SqlRow[] = [];
      for (const { key, row } of changes.values()) {
        if (row === null) deletes.push(key);
        else upserts.push(row);
      }
      tables.push({ shape, upserts, deletes });
    }
    return { epoch, durable: this.durable, statements: this.statements, tables };
  }
}
