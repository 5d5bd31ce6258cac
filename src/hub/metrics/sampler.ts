import type { MachineName, UnixMs } from '../../core/domain.ts';
import { ALL_MACHINES, type MetricPoint } from '../../core/metrics/point.ts';
import { beginning, RESOLUTIONS } from '../../core/metrics/resolution.ts';
import { rollUp } from '../../core/metrics/roll-up.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetricTable } from '../store/store.ts';
import type { Meter } from './meter.ts';
import { pointOfAll, pointOfMachine, type Gauges } from './sample.ts';
import { Upkeep } from './upkeep.ts';

const { raw, minute } = RESOLUTIONS;

export interface SamplerOptions {
  readonly metrics: MetricTable;
  readonly meter: Meter;
  readonly clock: Clock;
  /** Asked at the end of each span; must cost nearly nothing. */
  readonly gauges: () => Gauges;
  /** Length of a raw span, ms; 10 s. Another one is for tests of long times. */
  readonly rawStepMs?: number;
}

/**
 * Makes a point of each machine, and one of all, from what was counted in each 10 s of the clock. They are put into the store once a minute,
 * because an idle hub is to write little.
 *
 * A clock that is put back: points of what is the future now go. A clock that goes forward by more than a span, or a computer that slept:
 * the hub did not run in the time between, so there are no points of it.
 */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #stepMs: number;
  readonly #upkeep: Upkeep;
  /** Oldest first, of each machine. */
  #unwritten = new Map<MachineName, MetricPoint[]>();
  #writtenAt: UnixMs = 0;
  /** Points that begin later than this are the first of their spans. */
  #startedAt: UnixMs = 0;
  /** The running span: when it began, and when it is to end. */
  #from: UnixMs = 0;
  #due: UnixMs = 0;
  #cancel: (() => void) | null = null;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#stepMs = options.rawStepMs ?? raw.stepMs;
    this.#upkeep = new Upkeep(options.metrics);
  }

  /** Puts together what an earlier run left in pieces, and begins the first span. */
  start(): void {
    const now = this.#options.clock.now();
    const names = this.#options.gauges().machines.map(({ name }) => name);
    this.#upkeep.start([ALL_MACHINES, ...names], now);
    this.#startedAt = now;
    this.#writtenAt = now;
    this.#begin(now);
  }

  /** Ends the running span and puts everything into the store. */
  stop(): void {
    if (this.#cancel === null) return;
    this.#cancel();
    this.#cancel = null;
    const now = this.#options.clock.now();
    this.#close(now);
    this.#write(now);
  }

  /** Raw points that are not in the store yet, oldest first; nothing of the running span. */
  unwritten(machine: MachineName): readonly MetricPoint[] {
    return this.#unwritten.get(machine) ?? [];
  }

  #begin(now: UnixMs): void {
    this.#from = now;
    this.#due = beginning(now, this.#stepMs) + this.#stepMs;
    this.#cancel = this.#options.clock.after(this.#due - now, () => {
      const then = this.#options.clock.now();
      this.#close(then);
      if (beginning(then, minute.stepMs) !== beginning(this.#writtenAt, minute.stepMs)) this.#write(then);
      this.#begin(then);
    });
  }

  #close(now: UnixMs): void {
    const elapsed = now - this.#from;
    const isBack = elapsed < 0;
    const isJump = isBack || elapsed > 2 * this.#stepMs;
    if (isBack) this.#forgetAfter(now);
    this.#upkeep.ran(isJump ? null : elapsed);
    // The timer tells how long the hub ran where the clock does not. What was counted is rather of after a sleep than of before.
    const at = beginning(isJump ? now - 1 : this.#from, this.#stepMs);
    const spanMs = Math.max(1, isJump ? this.#due - this.#from : elapsed);
    this.#sample({ at, spanMs, from: this.#from, now });
  }

  #sample(span: { readonly at: UnixMs; readonly spanMs: number; readonly from: UnixMs; readonly now: UnixMs }): void {
    const { meter } = this.#options;
    const gauges = this.#options.gauges();
    const points = gauges.machines.map((machine) =>
      pointOfMachine(machine, meter.take(machine.name, machine.isOnline, span), span),
    );
    const names = new Set(gauges.machines.map(({ name }) => name));
    const gone = meter.machines().filter((name) => !names.has(name));
    // What was counted before a machine went is counted nevertheless.
    for (const name of gone) {
      const last = { name, isOnline: false, files: 0, bytes: 0, pending: 0 };
      points.push(pointOfMachine(last, meter.take(name, false, span), span));
      meter.forget(name);
    }
    for (const point of [...points, pointOfAll(points, gauges, span)]) this.#keep(point);
  }

  #keep(point: MetricPoint): void {
    const points = this.#unwritten.get(point.machine) ?? [];
    const last = points.at(-1);
    if (last?.at === point.at) points[points.length - 1] = rollUp(point.at, [last, point]);
    else points.push(point);
    this.#unwritten.set(point.machine, points);
  }

  #write(now: UnixMs): void {
    const { metrics } = this.#options;
    for (const [machine, points] of this.#unwritten) {
      const [first, last] = [points[0], points.at(-1)];
      if (first === undefined || last === undefined) continue;
      // An earlier run, or this one before the clock was put back, may have begun the same spans.
      const range = { machine, from: first.at, to: last.at + 1, limit: Infinity };
      const stored = first.at > this.#startedAt ? [] : metrics.read('raw', range);
      const earlier = new Map(stored.map((point) => [point.at, point]));
      for (const point of points) {
        const begun = earlier.get(point.at);
        metrics.put('raw', begun === undefined ? point : rollUp(point.at, [begun, point]));
      }
    }
    this.#upkeep.rollUp(this.#unwritten.keys(), now);
    this.#unwritten = new Map();
    this.#writtenAt = now;
  }

  #forgetAfter(now: UnixMs): void {
    for (const [machine, points] of this.#unwritten)
      this.#unwritten.set(
        machine,
        points.filter(({ at }) => at <= now),
      );
    this.#upkeep.wentBack(now);
    this.#startedAt = now;
    this.#writtenAt = Math.min(this.#writtenAt, now);
  }
}
