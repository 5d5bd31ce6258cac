import type { MachineName, UnixMs } from '../../core/domain.ts';
import { beginning, keptSince, RESOLUTIONS, type Resolution } from '../../core/metrics/resolution.ts';
import { rollUpInto } from '../../core/metrics/roll-up.ts';
import type { MetricTable } from '../store/store.ts';

const { raw, minute, hour } = RESOLUTIONS;

/** What is coarser, and what it is made of; in the order in which they are made. */
const LEVELS: readonly { readonly made: Resolution; readonly from: Resolution }[] = [
  { made: minute, from: raw },
  { made: hour, from: minute },
];

/**
 * A clock that says that the last run was longer ago than this may be wrong; what is kept is not thrown away for it before the hub ran for an
 * hour.
 */
const PLAUSIBLE_GAP_MS = 7 * 24 * 3_600_000;

/** Makes minutes of raw points and hours of minutes as they become full, and removes what is too old. */
export class Upkeep {
  readonly #metrics: MetricTable;
  readonly #names = new Set<MachineName>();
  /** Up to where the points of these steps are made. */
  readonly #madeUpTo = new Map<Resolution, UnixMs>();
  /** For how long the clock has gone evenly since the last pruning. */
  #evenMs = 0;

  constructor(metrics: MetricTable) {
    this.#metrics = metrics;
  }

  /** Makes what an earlier run was ended before. @param names machines whose points there may be. */
  start(names: Iterable<MachineName>, now: UnixMs): void {
    const newest = this.#metrics.newestAt('raw');
    for (const { made, from } of LEVELS) this.#madeUpTo.set(made, this.#firstOpen(made, from, now));
    this.rollUp(names, now);
    if (newest !== null && newest <= now && now - newest < PLAUSIBLE_GAP_MS) this.#prune(now);
  }

  /** Makes what became full. What is made again comes out the same. @param names machines of which there are new points. */
  rollUp(names: Iterable<MachineName>, now: UnixMs): void {
    for (const name of names) this.#names.add(name);
    for (const { made, from } of LEVELS) {
      const end = beginning(now, made.stepMs);
      const start = this.#madeUpTo.get(made) ?? end;
      if (start >= end) continue;
      for (const machine of this.#names) {
        const points = this.#metrics.read(from.name, { machine, from: start, to: end, limit: Infinity });
        for (const point of rollUpInto(points, made.stepMs)) this.#metrics.put(made.name, point);
      }
      this.#madeUpTo.set(made, end);
    }
    if (this.#evenMs >= hour.stepMs) this.#prune(now);
  }

  /** A span ended. @param ms what the clock went on by, `null` when it jumped. */
  ran(ms: number | null): void {
    this.#evenMs = ms === null ? 0 : this.#evenMs + ms;
  }

  /** The clock was put back to `now`: what begins later goes, and what had become full may get more. */
  wentBack(now: UnixMs): void {
    for (const { made } of LEVELS) {
      const end = this.#madeUpTo.get(made) ?? now;
      this.#madeUpTo.set(made, Math.min(end, beginning(now, made.stepMs)));
    }
    for (const { name } of Object.values(RESOLUTIONS)) this.#metrics.prune(name, { before: -Infinity, after: now });
  }

  /** The newest that was made is made again: its machines' points may have become more since. */
  #firstOpen(made: Resolution, from: Resolution, now: UnixMs): UnixMs {
    const newest = this.#metrics.newestAt(made.name);
    return newest === null || newest > now ? keptSince(from, now) : newest;
  }

  #prune(now: UnixMs): void {
    this.#evenMs = 0;
    for (const resolution of Object.values(RESOLUTIONS))
      this.#metrics.prune(resolution.name, { before: keptSince(resolution, now), after: now });
  }
}
