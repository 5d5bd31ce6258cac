import type { Database } from 'better-sqlite3';
import type { Clock } from '../ports/clock.ts';
import { Alerts } from './alert-table.ts';
import { Approvals } from './approval-table.ts';
import type { CommitDriver } from './commit-driver.ts';
import { Conflicts } from './conflict-table.ts';
import { Heads } from './head-table.ts';
import { Intents, UndoEntries } from './intent-table.ts';
import { Machines } from './machine-table.ts';
import { Metrics } from './metric-table.ts';
import { Pairs } from './pair-table.ts';
import { Projects } from './project-table.ts';
import { Pulls } from './pull-table.ts';
import { Sequence } from './sequence.ts';
import { SessionMarks } from './session-mark-table.ts';
import { CLOSED_SETTING } from './session.ts';
import type { StoreSession } from './session.ts';
import { Settings } from './settings-table.ts';
import type { Store, StoreUnwritable } from './store.ts';
import { StringPool } from './string-pool.ts';
import { SyncLog } from './sync-log-table.ts';
import { Totals } from './totals-table.ts';
import { Versions } from './version-table.ts';
import { WriteQueue } from './write-queue.ts';

export interface HubStoreParts {
  /** Connection for loading and for reading versions and old log lines; has its tables already. */
  readonly db: Database;
  readonly session: StoreSession;
  readonly driver: CommitDriver;
  readonly clock: Clock;
  readonly onTrouble: (error: StoreUnwritable) => void;
}

/** The store over one database connection for reading and one driver for writing. */
export class HubStore implements Store {
  readonly heads: Heads;
  readonly pairs: Pairs;
  readonly versions: Versions;
  readonly conflicts: Conflicts;
  readonly syncLog: SyncLog;
  readonly machines: Machines;
  readonly intents: Intents;
  readonly undo: UndoEntries;
  readonly projects: Projects;
  readonly approvals: Approvals;
  readonly pulls: Pulls;
  readonly sessionMarks: SessionMarks;
  readonly metrics: Metrics;
  readonly totals: Totals;
  readonly alerts: Alerts;
  readonly #settings: Settings;
  readonly #sequence: Sequence;
  readonly #queue: WriteQueue;
  readonly #epoch: number;
  #closing: Promise<void> | null = null;

  constructor({ db, session, driver, clock, onTrouble }: HubStoreParts) {
    const queue = new WriteQueue({ driver, clock, epoch: session.epoch, onTrouble });
    const pool = new StringPool();
    this.#queue = queue;
    this.#epoch = session.epoch;
    this.#settings = new Settings(db, queue);
    this.#sequence = new Sequence(session.lastSeq, queue, this.#settings);
    this.heads = new Heads(db, queue, pool);
    this.pairs = new Pairs(db, queue, pool);
    this.versions = new Versions(db, queue);
    this.conflicts = new Conflicts(db, queue);
    this.syncLog = new SyncLog(db, queue);
    this.machines = new Machines(db, queue);
    this.intents = new Intents(db, queue);
    this.undo = new UndoEntries(db, queue);
    this.projects = new Projects(db, queue);
    this.approvals = new Approvals(db, queue);
    this.pulls = new Pulls(db, queue);
    this.sessionMarks = new SessionMarks(db, queue);
    this.metrics = new Metrics(db, queue);
    this.totals = new Totals(db, queue, this.#settings);
    this.alerts = new Alerts(db, queue);
  }

  nextSeq(): number {
    return this.#sequence.next();
  }

  getSetting(name: string): string | null {
    return this.#settings.get(name);
  }

  setSetting(name: string, value: string): void {
    this.#settings.set(name, value);
  }

  flush(options: { readonly durable?: boolean } = {}): Promise<void> {
    return this.#queue.flush(options.durable === true);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Forgets every write that is not committed and never writes again, as if the process had been killed here. */
  abandon(): void {
    this.#queue.abandon();
  }

  async #close(): Promise<void> {
    this.#sequence.close();
    this.#settings.set(CLOSED_SETTING, String(this.#epoch));
    await this.#queue.close();
  }
}
