import type { Key, MachineName, UnixMs } from '../domain.ts';
import type { AlternationFacts } from './facts.ts';

/** Span within which changes count together. */
export const ALTERNATION_MS = 600_000;
/** With this many changes from now one machine, now another, in that span, two programs are fighting. */
export const ALTERNATION_COUNT = 20;
/** Only so many files are remembered, those that changed last. */
const MOST_KEYS = 1_024;

interface Trace {
  last: MachineName;
  /** Of the changes that came from another machine than the one before; the last `ALTERNATION_COUNT`, oldest first. */
  readonly turns: { readonly at: UnixMs; readonly machine: MachineName }[];
}

/**
 * Files that go back and forth between machines without a conflict: each program sees what the other wrote, and writes its own again.
 */
export class Alternations {
  readonly #traces = new Map<Key, Trace>();

  /** Notes that a change of `machine` is the head of `key` since `at`. */
  note(key: Key, machine: MachineName, at: UnixMs): void {
    const trace = this.#traces.get(key) ?? { last: machine, turns: [] };
    this.#traces.delete(key);
    this.#traces.set(key, trace);
    if (trace.last !== machine) {
      trace.last = machine;
      trace.turns.push({ at, machine });
      if (trace.turns.length > ALTERNATION_COUNT) trace.turns.shift();
    }
    if (this.#traces.size > MOST_KEYS)
      for (const oldest of this.#traces.keys()) return void this.#traces.delete(oldest);
  }

  /** The files that are being fought over at `now`. */
  at(now: UnixMs): AlternationFacts[] {
    return [...this.#traces].flatMap(([key, { turns }]) => {
      const recent = turns.filter(({ at }) => at > now - ALTERNATION_MS);
      if (recent.length < ALTERNATION_COUNT) return [];
      return [{ key, machines: [...new Set(recent.map(({ machine }) => machine))].sort() }];
    });
  }
}
