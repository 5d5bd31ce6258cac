import type { MachineName, UnixMs } from '../../core/domain.ts';
import { Histogram } from '../../core/metrics/histogram.ts';
import { ALL_MACHINES, type Counts } from '../../core/metrics/point.ts';
import { addCounts, NO_COUNTS } from '../../core/metrics/roll-up.ts';
import type { SyncEvent } from '../engine/events.ts';
import type { Clock } from '../ports/clock.ts';
import type { TotalsTable } from '../store/store.ts';
import { OnlineTime } from './online-time.ts';
import { RateWindow } from './rate-window.ts';

/** Latencies are put into their buckets in bundles of this many. */
const BUNDLE = 1_000;

/** What was counted of a machine over a span. */
export interface Taken {
  readonly counts: Counts;
  readonly latency: Histogram;
  readonly onlineMs: number;
}

/** Bytes of content in each direction, a second, over about the last 10 s. */
export interface Rates {
  readonly sent: number;
  readonly received: number;
}

/** Counts what the engine tells: into the totals at once, and for the running span until somebody takes it. */
export class Meter {
  readonly #totals: TotalsTable;
  readonly #clock: Clock;
  readonly #machines = new Map<MachineName, Running>();

  constructor(options: { readonly totals: TotalsTable; readonly clock: Clock }) {
    this.#totals = options.totals;
    this.#clock = options.clock;
  }

  /** Called in the middle of the work: cheap, and never throws. */
  note(event: SyncEvent): void {
    switch (event.kind) {
      case 'taken':
        return this.#count(event.machine, { syncs: 1 });
      case 'delivered':
        if (event.latencyMs !== null) this.#of(event.machine).tookMs(event.latencyMs);
        return this.#count(event.machine, { syncs: event.isWhole ? 1 : 0, bytesSent: event.bytes });
      case 'received':
        return this.#count(event.machine, { bytesReceived: event.bytes });
      case 'failed':
        return this.#count(event.machine, { failed: 1 });
      case 'conflict':
        return this.#count(event.machine, { conflicts: 1 });
      case 'connection':
        return this.#of(event.machine).online.change(event.status === 'online', this.#clock.now());
      default:
        // `heard`, `retry` and `logged` are counted by nobody.
        return;
    }
  }

  /** @param machine one, or `ALL_MACHINES`. */
  rates(machine: MachineName): Rates {
    const now = this.#clock.now();
    let [sent, received] = [0, 0];
    for (const running of this.#asked(machine)) {
      sent += running.sent.perSecond(now);
      received += running.received.perSecond(now);
    }
    return { sent, received };
  }

  /** From a change being seen to its being verified there, since the hub started. @param machine one, or `ALL_MACHINES`. */
  latency(machine: MachineName): Histogram {
    return this.#asked(machine).reduce((all, running) => all.merge(running.latency()), Histogram.EMPTY);
  }

  /** The machines that something was heard of. */
  machines(): MachineName[] {
    return [...this.#machines.keys()];
  }

  /**
   * Ends the running span of a machine and begins the next.
   * @param isOnline as it is now. @param span beginning and end of the span, Unix ms.
   */
  take(machine: MachineName, isOnline: boolean, span: { readonly from: UnixMs; readonly now: UnixMs }): Taken {
    return this.#of(machine).take(isOnline, span);
  }

  /** The machine is gone. Its totals stay. */
  forget(machine: MachineName): void {
    this.#machines.delete(machine);
  }

  #count(machine: MachineName, more: Partial<Counts>): void {
    const running = this.#of(machine);
    running.counts = addCounts(running.counts, more);
    const now = this.#clock.now();
    if (more.bytesSent !== undefined) running.sent.add(more.bytesSent, now);
    if (more.bytesReceived !== undefined) running.received.add(more.bytesReceived, now);
    this.#totals.add(machine, more);
  }

  #asked(machine: MachineName): Running[] {
    if (machine === ALL_MACHINES) return [...this.#machines.values()];
    const running = this.#machines.get(machine);
    return running === undefined ? [] : [running];
  }

  #of(machine: MachineName): Running {
    let running = this.#machines.get(machine);
    if (running === undefined) this.#machines.set(machine, (running = new Running()));
    return running;
  }
}

/** One machine. */
class Running {
  counts = NO_COUNTS;
  readonly sent = new RateWindow();
  readonly received = new RateWindow();
  readonly online = new OnlineTime();
  /** Of the spans that were taken, and of the running one. */
  #before = Histogram.EMPTY;
  #latency = Histogram.EMPTY;
  #samples: number[] = [];

  tookMs(ms: number): void {
    if (this.#samples.push(ms) >= BUNDLE) this.#bundle();
  }

  latency(): Histogram {
    this.#bundle();
    return this.#before.merge(this.#latency);
  }

  take(isOnline: boolean, span: { readonly from: UnixMs; readonly now: UnixMs }): Taken {
    this.#bundle();
    const taken = { counts: this.counts, latency: this.#latency, onlineMs: this.online.take(isOnline, span) };
    this.counts = NO_COUNTS;
    this.#before = this.#before.merge(this.#latency);
    this.#latency = Histogram.EMPTY;
    return taken;
  }

  #bundle(): void {
    if (this.#samples.length === 0) return;
    this.#latency = this.#latency.add(this.#samples);
    this.#samples = [];
  }
}
