import type { MachineName, UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetricTable } from '../store/store.ts';

const DAY_MS = 86_400_000;
/** A share of a day changes by less than a thousandth in this time. */
const KNOWN_FOR_MS = 60_000;
const MOST_POINTS = 200;

/** For which share of the last 24 hours, as far as the hub ran, a machine was online. */
export class OnlineShare {
  readonly #metrics: MetricTable;
  readonly #clock: Clock;
  readonly #known = new Map<MachineName, { readonly at: UnixMs; readonly share: number }>();

  constructor(metrics: MetricTable, clock: Clock) {
    this.#metrics = metrics;
    this.#clock = clock;
  }

  /** @param machine one, or `ALL_MACHINES`. @returns 0 to 1; 1 while nothing is known. */
  of(machine: MachineName): number {
    const now = this.#clock.now();
    const known = this.#known.get(machine);
    if (known !== undefined && Math.abs(now - known.at) < KNOWN_FOR_MS) return known.share;
    const share = this.#read(machine, now);
    this.#known.set(machine, { at: now, share });
    return share;
  }

  #read(machine: MachineName, now: UnixMs): number {
    // Whole hours, and the minutes since the last of them.
    const hours = this.#metrics.read('hour', { machine, from: now - DAY_MS, to: now, limit: MOST_POINTS });
    const since = (hours.at(-1)?.at ?? now - DAY_MS - 3_600_000) + 3_600_000;
    const minutes = this.#metrics.read('minute', {
      machine,
      from: Math.max(since, now - 7_200_000),
      to: now,
      limit: MOST_POINTS,
    });
    let [online, observed] = [0, 0];
    for (const { onlineMs, spanMs } of [...hours, ...minutes]) {
      online += onlineMs;
      observed += spanMs;
    }
    return observed === 0 ? 1 : Math.min(1, online / observed);
  }
}
