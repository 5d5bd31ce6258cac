import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { Alert } from '../../core/alerts/alert.ts';
import { jsonOrNull } from '../json-or-null.ts';
import type { TableShape } from './commit-driver.ts';
import type { AlertTable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

const ALERTS: TableShape = { name: 'alerts', keyColumns: 1, columns: ['id', 'raised_at', 'cleared_at', 'json'] };

const ALERT = z.object({
  id: z.string(),
  severity: z.enum(['info', 'warning', 'error']),
  message: z.string(),
  unaffected: z.string(),
  next: z.string().nullable(),
  machine: z.string().nullable(),
  key: z.string().nullable(),
  raisedAt: z.number(),
  clearedAt: z.number().nullable(),
  dismissedAt: z.number().nullable(),
}) satisfies z.ZodType<Alert>;

/** Table `alerts`, in memory. A row that cannot be read is left out: what lasts is found and raised again. */
export class Alerts implements AlertTable {
  readonly #queue: WriteQueue;
  readonly #rows = new Map<string, Alert>();

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    const rows = db.prepare('SELECT id, json FROM alerts').raw();
    for (const [id, json] of rows.iterate() as Iterable<[string, string]>) {
      const alert = ALERT.safeParse(jsonOrNull(json));
      if (alert.success && alert.data.id === id) this.#rows.set(id, alert.data);
    }
  }

  put(alert: Alert): void {
    this.#rows.set(alert.id, alert);
    const { id, raisedAt, clearedAt } = alert;
    const cleared = clearedAt === null ? null : Math.round(clearedAt);
    this.#queue.put(ALERTS, [id, Math.round(raisedAt), cleared, JSON.stringify(alert)]);
  }

  delete(id: string): void {
    if (this.#rows.delete(id)) this.#queue.remove(ALERTS, [id]);
  }

  values(): IterableIterator<Alert> {
    return this.#rows.values();
  }
}
