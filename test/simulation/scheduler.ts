import type { Clock } from '../../src/hub/ports/clock.ts';
import { hash32 } from './prng.ts';

/** Virtual wall clock at which every simulated world begins (2026-03-01T08:00:00Z). */
export const WORLD_START = Date.UTC(2026, 2, 1, 8, 0, 0);

/** How many of the last events are kept for a readable trace. */
const TRACE_LENGTH = 400;

/** After so many events real time gets a turn, so that the test runner's own timers work. */
const EVENTS_PER_TURN = 512;

interface Task {
  time: number;
  readonly seq: number;
  readonly label: string;
  run: (() => void) | null;
}

/**
 * Virtual time and the one queue of everything that happens in it. Events run strictly in order of (time, seq); between two
 * events all microtasks are drained, so that whatever the code under test does between two awaits is one indivisible step
 * and a seed gives the same run every time (docs/sync.md section 12).
 */
export class Scheduler {
  #now = WORLD_START;
  #seq = 0;
  #heap: Task[] = [];
  #hash = 0x811c9dc5;
  #events = 0;
  /** The last events, to be formatted only when somebody asks. */
  #trace: { readonly time: number; readonly label: string }[] = [];
  #failure: { readonly error: unknown } | null = null;

  /** Virtual time, Unix ms. */
  get now(): number {
    return this.#now;
  }

  /** Events run so far. */
  get events(): number {
    return this.#events;
  }

  /** Fingerprint of all events so far (time and label): equal for equal runs. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** The last events, oldest first. */
  trace(): string[] {
    return this.#trace
      .slice(-TRACE_LENGTH)
      .map(({ time, label }) => `${String(time - WORLD_START).padStart(8)} ${label}`);
  }

  /** Puts a line into the trace (and its fingerprint) at the current time. */
  note(text: string): void {
    this.#record(`  . ${text}`);
  }

  /** Runs `task` after `ms` of virtual time (at least 0). @returns a function that cancels it. */
  after(ms: number, label: string, task: () => void): () => void {
    const entry: Task = { time: this.#now + Math.max(0, Math.ceil(ms)), seq: this.#seq++, label, run: task };
    push(this.#heap, entry);
    return () => {
      entry.run = null;
    };
  }

  /** Resolves after `ms` of virtual time. */
  sleep(ms: number, label: string): Promise<void> {
    return new Promise((resolve) => this.after(ms, label, resolve));
  }

  /**
   * Everything sleeps for `ms` and wakes up where it was: clocks go on, timers and requests under way do not (a suspended
   * computer). It costs no events, so a world can let long silences pass at once.
   */
  suspend(ms: number): void {
    this.#record(`everything sleeps for ${ms} ms`);
    this.#now += ms;
    // The order stays the same, so the heap stays one.
    for (const task of this.#heap) task.time += ms;
  }

  /** A failure that ends the run: `run` rejects with it. For errors that no part of the world expects. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /**
   * Runs events up to and including virtual time `until`, or until `done` says so (asked after each event).
   * Rejects with the first error that an event threw or `fail` was given.
   */
  run(until: number, done: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let inTurn = 0;
      const step = (): void => {
        if (this.#failure) return reject(asError(this.#failure.error));
        if (done()) return resolve();
        const task = this.#next(until);
        if (!task) {
          this.#now = Math.max(this.#now, until);
          return resolve();
        }
        this.#now = task.time;
        this.#events++;
        this.#record(task.label);
        try {
          task.run?.();
        } catch (error) {
          return reject(asError(error));
        }
        if (++inTurn < EVENTS_PER_TURN) return afterMicrotasks(step);
        inTurn = 0;
        setImmediate(step);
      };
      afterMicrotasks(step);
    });
  }

  /**
   * A clock for code under test: virtual time plus `skew()` ms. Timers run while `alive()`; a process that has died has none.
   */
  clock(label: string, skew: () => number = () => 0, alive: () => boolean = () => true): Clock {
    return {
      now: () => this.#now + skew(),
      after: (ms, task) => this.after(ms, `${label} timer`, () => alive() && task()),
    };
  }

  #next(until: number): Task | null {
    for (;;) {
      const first = this.#heap[0];
      if (!first || first.time > until) return null;
      pop(this.#heap);
      if (first.run) return first;
    }
  }

  #record(label: string): void {
    this.#hash = hash32(label, this.#hash ^ (this.#now - WORLD_START));
    this.#trace.push({ time: this.#now, label });
    if (this.#trace.length > TRACE_LENGTH * 2) this.#trace = this.#trace.slice(-TRACE_LENGTH);
  }
}

/**
 * Runs `step` when no microtask is left, at a fraction of the cost of a turn of the event loop. The detour through a microtask
 * matters: a tick that is asked for within a tick would run before the microtasks do.
 */
function afterMicrotasks(step: () => void): void {
  queueMicrotask(() => process.nextTick(step));
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

function before(a: Task, b: Task): boolean {
  return a.time < b.time || (a.time === b.time && a.seq < b.seq);
}

function push(heap: Task[], task: Task): void {
  let at = heap.length;
  heap.push(task);
  while (at > 0) {
    const up = (at - 1) >> 1;
    const parent = heap[up] as Task;
    if (!before(task, parent)) break;
    heap[at] = parent;
    at = up;
  }
  heap[at] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    const right = heap[child + 1];
    if (right && before(right, heap[child] as Task)) child++;
    const candidate = heap[child] as Task;
    if (!before(candidate, last)) break;
    heap[at] = candidate;
    at = child;
  }
  heap[at] = last;
}
