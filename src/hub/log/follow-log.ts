import { systemClock } from '../ports/system.ts';
import type { Clock } from '../ports/clock.ts';
import type { LogFilter, LogLine } from './log-line.ts';
import { LogWatch } from './log-watch.ts';
import { readOn, type LogPosition } from './read-log.ts';

/** From where, what, and until when a log is followed. */
export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** See `readLog`. Without it: everything that the files hold, then what comes. */
  readonly position?: LogPosition;
  readonly filter?: LogFilter;
  readonly clock?: Clock;
  /** It is looked this often besides, ms. Default 1 s. */
  readonly pollMs?: number;
}

/** Lines that are read before they are handed on. */
const MOST_AT_ONCE = 1_000;

/**
 * The lines of the hub's log as they are written, each once, also across rotation and when there is no file or folder yet. What is put aside
 * and removed before it could be read is missed. Ends without an error when the signal aborts.
 */
export async function* followLog(file: string, options: FollowOptions): AsyncGenerator<LogLine, void, undefined> {
  const { signal, filter = {}, clock = systemClock, pollMs = 1_000 } = options;
  const position = new Map(options.position);
  const changes = new LogWatch(file, clock, pollMs);
  try {
    while (!signal.aborted) {
      const lines = await readOn(file, position, MOST_AT_ONCE, filter);
      for (const line of lines) {
        if (signal.aborted) return;
        yield line;
      }
      if (lines.length < MOST_AT_ONCE) await changes.changed(signal);
    }
  } finally {
    changes.close();
  }
}
