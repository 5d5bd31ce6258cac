import type { Database, Statement } from 'better-sqlite3';
import type { MachineName, UnixMs } from '../../core/domain.ts';
import { Histogram } from '../../core/metrics/histogram.ts';
import type { MetricPoint } from '../../core/metrics/point.ts';
import type { ResolutionName } from '../../core/metrics/resolution.ts';
import type { SqlRow, TableShape } from './commit-driver.ts';
import type { MetricTable } from './store.ts';
import { UncommittedPoints } from './uncommitted-points.ts';
import type { WriteQueue } from './write-queue.ts';

const METRICS: TableShape = {
  name: 'metrics',
  keyColumns: 3,
  columns: [
    ...['resolution', 'machine', 'at', 'span', 'online', 'syncs', 'failed', 'conflicts', 'sent', 'received'],
    ...['files', 'bytes', 'pending', 'most_pending', 'archive', 'versions', 'latency'],
  ],
};

/** As they are stored; never changed. */
const CODES: Readonly<Record<ResolutionName, number>> = { raw: 0, minute: 1, hour: 2 };

/** The machines of a resolution (its only parameter), by one look into the index for each. */
const MACHINES = `
  WITH RECURSIVE asked(resolution) AS (SELECT ?), found(machine) AS (
    SELECT (SELECT min(machine) FROM metrics WHERE resolution = (SELECT resolution FROM asked))
    UNION ALL
    SELECT (SELECT min(machine) FROM metrics WHERE resolution = (SELECT resolution FROM asked) AND machine > found.machine)
    FROM found WHERE found.machine IS NOT NULL
  )`;
const NEWEST = `${MACHINES}
  SELECT max((SELECT max(at) FROM metrics WHERE resolution = (SELECT resolution FROM asked) AND machine = found.machine AND at <= ?))
  FROM found WHERE found.machine IS NOT NULL`;
const OLDER = `${MACHINES}
  DELETE FROM metrics WHERE resolution = ? AND machine IN (SELECT machine FROM found WHERE machine IS NOT NULL) AND at < ?`;
const LATER = `${MACHINES}
  DELETE FROM metrics WHERE resolution = ? AND machine IN (SELECT machine FROM found WHERE machine IS NOT NULL) AND at > ?`;

/** Rows outside of this are on their way out of the database; the group that carries that is not committed yet. */
interface Pruning {
  readonly before: UnixMs;
  readonly after: UnixMs;
  readonly group: number;
}

/** Table `metrics`: in the database, with what is not committed yet laid over it at every read. */
export class Metrics implements MetricTable {
  readonly #queue: WriteQueue;
  readonly #rows: Statement;
  readonly #newest: Statement;
  readonly #uncommitted: Readonly<Record<ResolutionName, UncommittedPoints>> = {
    raw: new UncommittedPoints(),
    minute: new UncommittedPoints(),
    hour: new UncommittedPoints(),
  };
  readonly #prunings: Record<ResolutionName, Pruning[]> = { raw: [], minute: [], hour: [] };

  constructor(db: Database, queue: WriteQueue) {
    this.#queue = queue;
    this.#rows = db
      .prepare(
        `SELECT ${METRICS.columns.slice(1).join(', ')} FROM metrics WHERE resolution = ? AND machine = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?`,
      )
      .raw();
    this.#newest = db.prepare(NEWEST).pluck();
  }

  put(resolution: ResolutionName, point: MetricPoint): void {
    const whole = rounded(point);
    this.#uncommitted[resolution].put(whole, this.#queue.put(METRICS, encode(resolution, whole)));
  }

  read(
    resolution: ResolutionName,
    { machine, from, to, limit }: { machine: MachineName; from: UnixMs; to: UnixMs; limit: number },
  ): MetricPoint[] {
    if (limit <= 0) return [];
    const kept = this.#kept(resolution);
    const [first, end] = [Math.max(from, kept.before), Math.min(to, kept.after + 1)];
    const rows = this.#rows.all(CODES[resolution], machine, first, end, whole(limit)) as MetricColumns[];
    const points = new Map(rows.map((row) => [row[1], decode(row)]));
    const newer = this.#uncommitted[resolution].ofMachine(machine, this.#queue.committed);
    let isOrdered = true;
    for (const [at, point] of newer) {
      if (at < from || at >= to) continue;
      isOrdered &&= points.has(at);
      points.set(at, point);
    }
    const all = [...points.values()];
    return isOrdered ? all : all.sort((a, b) => a.at - b.at).slice(0, limit);
  }

  newestAt(resolution: ResolutionName): UnixMs | null {
    const kept = this.#kept(resolution);
    const stored = this.#newest.get(CODES[resolution], kept.after) as UnixMs | null;
    const newer = this.#uncommitted[resolution].newestAt(this.#queue.committed);
    const newest = Math.max(stored !== null && stored >= kept.before ? stored : -Infinity, newer ?? -Infinity);
    return newest === -Infinity ? null : newest;
  }

  prune(resolution: ResolutionName, { before, after }: { before: UnixMs; after: UnixMs }): void {
    const code = CODES[resolution];
    // A statement runs before the rows of its group, so a row that waits in the same one has to be removed by itself.
    for (const { machine, at } of this.#uncommitted[resolution].drop(before, after, this.#queue.committed))
      this.#queue.remove(METRICS, [code, machine, at]);
    this.#queue.run({ sql: OLDER, params: [code, code, whole(before)] });
    this.#queue.run({ sql: LATER, params: [code, code, whole(after)] });
    // Of a statement the queue does not tell the group. This row is among those that go, if there is one.
    const group = this.#queue.remove(METRICS, [code, '', whole(before) - 1]);
    this.#prunings[resolution].push({ before: whole(before), after: whole(after), group });
  }

  /** What rows that the database holds may be of: a row that comes later is not committed either, and found there. */
  #kept(resolution: ResolutionName): { before: UnixMs; after: UnixMs } {
    const waiting = this.#prunings[resolution].filter(({ group }) => group > this.#queue.committed);
    this.#prunings[resolution] = waiting;
    return {
      before: Math.max(-Number.MAX_SAFE_INTEGER, ...waiting.map((pruning) => pruning.before)),
      after: Math.min(Number.MAX_SAFE_INTEGER - 1, ...waiting.map((pruning) => pruning.after)),
    };
  }
}

type MetricColumns = [
  ...[machine: string, at: number, span: number, online: number, syncs: number, failed: number, conflicts: number],
  ...[sent: number, received: number, files: number, bytes: number, pending: number, mostPending: number],
  ...[archive: number, versions: number, latency: string | null],
];

function decode(row: MetricColumns): MetricPoint {
  const [machine, at, spanMs, onlineMs, syncs, failed, conflicts, bytesSent, bytesReceived] = row;
  const [, , , , , , , , , files, bytes, pending, mostPending, archiveBytes, versionBytes, latency] = row;
  return {
    ...{ machine, at, spanMs, onlineMs, syncs, failed, conflicts, bytesSent, bytesReceived },
    ...{ files, bytes, pending, mostPending, archiveBytes, versionBytes, latency: Histogram.decode(latency) },
  };
}

function encode(resolution: ResolutionName, point: MetricPoint): SqlRow {
  const { machine, at, spanMs, onlineMs, syncs, failed, conflicts, bytesSent, bytesReceived } = point;
  const { files, bytes, pending, mostPending, archiveBytes, versionBytes, latency } = point;
  return [
    ...[CODES[resolution], machine, at, spanMs, onlineMs, syncs, failed, conflicts, bytesSent, bytesReceived],
    ...[files, bytes, pending, mostPending, archiveBytes, versionBytes, latency.encode()],
  ];
}

/** The columns take whole numbers only, and one row that the database refuses would hold up everything behind it. */
function rounded(point: MetricPoint): MetricPoint {
  return {
    machine: point.machine,
    at: whole(point.at),
    spanMs: whole(point.spanMs),
    onlineMs: whole(point.onlineMs),
    syncs: whole(point.syncs),
    failed: whole(point.failed),
    conflicts: whole(point.conflicts),
    bytesSent: whole(point.bytesSent),
    bytesReceived: whole(point.bytesReceived),
    files: whole(point.files),
    bytes: whole(point.bytes),
    pending: whole(point.pending),
    mostPending: whole(point.mostPending),
    archiveBytes: whole(point.archiveBytes),
    versionBytes: whole(point.versionBytes),
    latency: point.latency,
  };
}

function whole(number: number): number {
  if (Number.isNaN(number)) return 0;
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER - 1, Math.round(number)));
}
