import type { Logger } from 'pino';
import type { Key, MachineName } from '../../core/domain.ts';
import type { SyncEvent } from '../engine/events.ts';
import type { Clock } from '../ports/clock.ts';

/** What reached a machine within this time is one line. */
const BURST_MS = 1_000;

/** What has reached a machine and is not logged yet. */
interface Burst {
  readonly keys: Set<Key>;
  bytes: number;
  latencyMs: number | null;
  /** Takes the timer back that will log it; `null` while there is nothing to log. */
  cancel: (() => void) | null;
}

/**
 * Writes what the engine does into the log: every step at `debug`, what was synced at `info`, troubles at `warn` and `error`. It is called
 * in the middle of the work, so an event that nobody wants costs a comparison or two.
 */
export class EventLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #bursts = new Map<MachineName, Burst>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Logs an event, at once or with others of its kind. */
  note(event: SyncEvent): void {
    switch (event.kind) {
      case 'heard':
      case 'received':
      case 'taken':
      case 'logged':
        if (this.#log.isLevelEnabled('debug')) this.#step(event);
        return;
      case 'delivered':
        if (this.#log.isLevelEnabled('debug')) this.#step(event);
        if (this.#log.isLevelEnabled('info')) this.#synced(event);
        return;
      case 'retry':
        this.#log.warn({ machine: event.machine, key: event.key, reason: event.reason }, 'retry');
        return;
      case 'failed':
        this.#log.error({ machine: event.machine, key: event.key, reason: event.reason }, 'failed');
        return;
      case 'conflict':
        return this.#conflict(event);
      case 'connection':
        return this.#connection(event);
    }
  }

  /** Logs what still waits to be logged with others. For the end of the hub. */
  flush(): void {
    for (const [machine, burst] of this.#bursts) this.#tell(machine, burst);
  }

  #step(event: Extract<SyncEvent, { kind: 'heard' | 'received' | 'taken' | 'delivered' | 'logged' }>): void {
    if (event.kind === 'logged') {
      const { key, source, target, action, outcome, bytes, durationMs, detail } = event.row;
      this.#log.debug({ key, source, target, action, outcome, bytes, durationMs, detail }, 'logged');
    } else {
      const { kind, ...fields } = event;
      this.#log.debug(fields, kind);
    }
  }

  #synced({ machine, key, bytes, latencyMs }: Extract<SyncEvent, { kind: 'delivered' }>): void {
    let burst = this.#bursts.get(machine);
    if (burst === undefined) {
      burst = { keys: new Set(), bytes: 0, latencyMs: null, cancel: null };
      this.#bursts.set(machine, burst);
    }
    burst.keys.add(key);
    burst.bytes += bytes;
    if (latencyMs !== null && (burst.latencyMs === null || latencyMs > burst.latencyMs)) burst.latencyMs = latencyMs;
    if (burst.cancel === null) {
      const due = burst;
      burst.cancel = this.#clock.after(BURST_MS, () => this.#tell(machine, due));
    }
  }

  #tell(machine: MachineName, burst: Burst): void {
    if (burst.cancel === null) return;
    burst.cancel();
    burst.cancel = null;
    const { keys, bytes, latencyMs } = burst;
    const [key] = keys;
    this.#log.info({ machine, keys: keys.size, ...(keys.size === 1 ? { key } : {}), bytes, latencyMs }, 'synced');
    keys.clear();
    burst.bytes = 0;
    burst.latencyMs = null;
  }

  #conflict({ machine, conflict }: Extract<SyncEvent, { kind: 'conflict' }>): void {
    const { id, key, sides, strategy, status, winner } = conflict;
    const machines = sides.map((side) => side.machine);
    this.#log.error({ machine, key, machines, strategy, status, winner, conflict: id }, 'conflict');
  }

  #connection({ machine, status, reason }: Extract<SyncEvent, { kind: 'connection' }>): void {
    if (status === 'online') this.#log.info({ machine, reason }, 'machine online');
    else this.#log.warn({ machine, reason }, `machine ${status}`);
  }
}
