import type { MachineName, UnixMs } from '../../core/domain.ts';
import type { MetricPoint } from '../../core/metrics/point.ts';

interface Waiting {
  readonly point: MetricPoint;
  readonly group: number;
}

/**
 * Points of one resolution that are not in the database yet. Every question names the last committed group; what it and earlier ones
 * carried is forgotten first.
 */
export class UncommittedPoints {
  readonly #points = new Map<MachineName, Map<UnixMs, Waiting>>();
  #seen = 0;

  put(point: MetricPoint, group: number): void {
    let ofMachine = this.#points.get(point.machine);
    if (ofMachine === undefined) this.#points.set(point.machine, (ofMachine = new Map<UnixMs, Waiting>()));
    ofMachine.set(point.at, { point, group });
  }

  /** By their beginnings, in no order. */
  ofMachine(machine: MachineName, committed: number): Iterable<[UnixMs, MetricPoint]> {
    this.#forget(committed);
    return [...(this.#points.get(machine) ?? [])].map(([at, { point }]) => [at, point]);
  }

  newestAt(committed: number): UnixMs | null {
    this.#forget(committed);
    let newest: UnixMs | null = null;
    for (const { at } of this.#all()) newest = newest === null ? at : Math.max(newest, at);
    return newest;
  }

  /** Forgets those that begin before `before` or after `after`. @returns them. */
  drop(before: UnixMs, after: UnixMs, committed: number): MetricPoint[] {
    this.#forget(committed);
    const dropped = this.#all().filter(({ at }) => at < before || at > after);
    for (const { machine, at } of dropped) this.#points.get(machine)?.delete(at);
    return dropped;
  }

  #all(): MetricPoint[] {
    return [...this.#points.values()].flatMap((points) => [...points.values()].map(({ point }) => point));
  }

  #forget(committed: number): void {
    if (committed === this.#seen) return;
    this.#seen = committed;
    for (const [machine, points] of this.#points) {
      for (const [at, { group }] of points) if (group <= committed) points.delete(at);
      if (points.size === 0) this.#points.delete(machine);
    }
  }
}
