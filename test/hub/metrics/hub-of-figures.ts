import type { Database } from 'better-sqlite3';
import type { UnixMs } from '../../../src/core/domain.ts';
import { ALL_MACHINES, type MetricPoint } from '../../../src/core/metrics/point.ts';
import type { ResolutionName } from '../../../src/core/metrics/resolution.ts';
import type { SyncEvent } from '../../../src/hub/engine/events.ts';
import { Meter } from '../../../src/hub/metrics/meter.ts';
import type { Gauges } from '../../../src/hub/metrics/sample.ts';
import { Sampler } from '../../../src/hub/metrics/sampler.ts';
import type { InlineStore } from '../../../src/hub/store/open-store.ts';
import type { ConflictRow } from '../../../src/hub/store/store.ts';
import type { WallClock } from './wall-clock.ts';

export const HOUR = 3_600_000;
const MACHINES = ['rog', 'mac'] as const;

/** How many points are in the database, and since when. */
const POINTS =
  'SELECT resolution, machine, count(*) AS rows, min(at) AS first, max(at) AS last FROM metrics GROUP BY 1, 2';

/** Numbers from 0 to 1 that are the same in each run. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sums of an hour, as the test counts them by itself. */
export interface Sums {
  syncs: number;
  failed: number;
  conflicts: number;
  sent: number;
  received: number;
  latencies: number;
  latencyMs: number;
  onlineMs: number;
}

export const NO_SUMS: Sums = {
  ...{ syncs: 0, failed: 0, conflicts: 0, sent: 0, received: 0, latencies: 0, latencyMs: 0, onlineMs: 0 },
};

/** Meter and sampler over a store, with two machines that do things by dice, and a count of them that is kept apart. */
export class HubOfFigures {
  readonly meter: Meter;
  readonly sampler: Sampler;
  readonly clock: WallClock;
  readonly store: InlineStore;
  readonly #online = new Map<string, boolean>(MACHINES.map((name) => [name, false]));
  gauges: { files: number; pending: number } = { files: 3, pending: 0 };
  /** By machine and beginning of the hour. */
  readonly counted: Map<string, Sums>;

  constructor(
    store: InlineStore,
    clock: WallClock,
    options: { readonly rawStepMs?: number; readonly counted?: Map<string, Sums> } = {},
  ) {
    this.store = store;
    this.clock = clock;
    this.counted = options.counted ?? new Map<string, Sums>();
    this.meter = new Meter({ totals: store.totals, clock });
    const { metrics } = store;
    const { rawStepMs } = options;
    this.sampler = new Sampler({
      ...{ metrics, meter: this.meter, clock, gauges: () => this.#gauges() },
      ...(rawStepMs === undefined ? {} : { rawStepMs }),
    });
    this.sampler.start();
  }

  /** Something happens now. */
  note(event: SyncEvent): void {
    this.meter.note(event);
    switch (event.kind) {
      case 'taken':
        return this.count(event.machine, { syncs: 1 });
      case 'received':
        return this.count(event.machine, { received: event.bytes });
      case 'failed':
        return this.count(event.machine, { failed: 1 });
      case 'conflict':
        return this.count(event.machine, { conflicts: 1 });
      case 'delivered': {
        const { latencyMs, bytes, isWhole } = event;
        const latency = latencyMs === null ? {} : { latencies: 1, latencyMs };
        return this.count(event.machine, { syncs: isWhole ? 1 : 0, sent: bytes, ...latency });
      }
      case 'connection':
        this.#online.set(event.machine, event.status === 'online');
    }
  }

  count(machine: string, more: Partial<Sums>): void {
    const name = `${machine} ${Math.floor(this.clock.now() / HOUR) * HOUR}`;
    const sums = this.counted.get(name) ?? { ...NO_SUMS };
    for (const [what, number] of Object.entries(more) as [keyof Sums, number][]) sums[what] += number;
    this.counted.set(name, sums);
  }

  /** Goes on by whole ms, never over the end of an hour in one go, and counts who is online. */
  advance(ms: number): void {
    for (let left = ms; left > 0;) {
      const step = Math.min(left, HOUR - (this.clock.now() % HOUR));
      for (const [name, isOnline] of this.#online) if (isOnline) this.count(name, { onlineMs: step });
      this.clock.advance(step);
      left -= step;
    }
  }

  /** One thing of any kind. */
  something(random: () => number): void {
    const machine = MACHINES[Math.floor(random() * MACHINES.length)]!;
    const key = 'session/x';
    const roll = random();
    const number = Math.floor(random() * 50_000);
    if (roll < 0.3) this.note({ kind: 'taken', machine, key });
    else if (roll < 0.5) this.note({ kind: 'received', machine, bytes: number });
    else if (roll < 0.8) {
      const latencyMs = roll < 0.7 ? number : null;
      this.note({ kind: 'delivered', machine, key, bytes: number, latencyMs, isWhole: roll < 0.75 });
    } else if (roll < 0.85) this.note({ kind: 'failed', machine, key, reason: 'disk full' });
    else if (roll < 0.87) this.note({ kind: 'conflict', machine, conflict: CONFLICT });
    else this.note({ kind: 'connection', machine, status: roll < 0.95 ? 'online' : 'offline', reason: null });
  }

  /** Does things at random times for this long. */
  async live(ms: number, random: () => number, meanGapMs: number): Promise<void> {
    const end = this.clock.now() + ms;
    for (let steps = 1; ; steps += 1) {
      const gap = Math.floor(random() * 2 * meanGapMs);
      if (this.clock.now() + gap > end) break;
      this.advance(gap);
      this.something(random);
      if (steps % 50 === 0) await this.store.flush();
    }
    this.advance(end - this.clock.now());
    await this.store.flush();
  }

  points(
    resolution: ResolutionName,
    machine: string,
    from: UnixMs = 0,
    to: UnixMs = Number.MAX_SAFE_INTEGER,
  ): MetricPoint[] {
    return this.store.metrics.read(resolution, { machine, from, to, limit: 1_000_000 });
  }

  /** What is stored, in the form of `counted`. */
  hours(resolution: ResolutionName = 'hour', machines: readonly string[] = MACHINES): Map<string, Sums> {
    const told = new Map<string, Sums>();
    for (const machine of machines)
      for (const point of this.points(resolution, machine)) {
        const name = `${machine} ${Math.floor(point.at / HOUR) * HOUR}`;
        told.set(name, add(told.get(name) ?? NO_SUMS, point));
      }
    return withoutIdle(told);
  }

  #gauges(): Gauges {
    const machines = MACHINES.map((name) => ({
      ...{ name, isOnline: this.#online.get(name) === true, bytes: 10 * this.gauges.files },
      ...this.gauges,
    }));
    return { machines, archiveBytes: 100, versionBytes: 7 };
  }
}

function add(sums: Sums, point: MetricPoint): Sums {
  return {
    syncs: sums.syncs + point.syncs,
    failed: sums.failed + point.failed,
    conflicts: sums.conflicts + point.conflicts,
    sent: sums.sent + point.bytesSent,
    received: sums.received + point.bytesReceived,
    latencies: sums.latencies + point.latency.count,
    latencyMs: sums.latencyMs + point.latency.sum,
    onlineMs: sums.onlineMs + point.onlineMs,
  };
}

/** Hours in which something was, in their order. */
export function withoutIdle(hours: ReadonlyMap<string, Sums>): Map<string, Sums> {
  const some = [...hours].filter(([, sums]) => Object.values(sums).some((number) => number !== 0));
  return new Map(some.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Rows in the database, each with its machine (`all`) and resolution. */
export function rowsOf(db: Database): Record<string, { rows: number; first: UnixMs; last: UnixMs }> {
  const found = db.prepare(POINTS).all() as {
    resolution: number;
    machine: string;
    rows: number;
    first: number;
    last: number;
  }[];
  return Object.fromEntries(
    found.map(({ resolution, machine, rows, first, last }) => [
      `${['raw', 'minute', 'hour'][resolution]} ${machine === ALL_MACHINES ? 'all' : machine}`,
      { rows, first, last },
    ]),
  );
}

/** One that waits for a decision. */
export const CONFLICT: ConflictRow = {
  ...{ id: 1, key: 'a.md', at: 0, status: 'open', baseSha256: null, sides: [], strategy: 'manual', winner: null },
  ...{ resolvedAt: null, resolution: null },
};
