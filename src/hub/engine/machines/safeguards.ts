import { BackInTime } from '../../../core/safeguards/back-in-time.ts';
import { judgeChangeBurst } from '../../../core/safeguards/change-burst.ts';
import { DeleteWindow } from '../../../core/safeguards/delete-window.ts';
import { judgeLostLogs, type LogSize } from '../../../core/safeguards/lost-logs.ts';
import { judgeRoot, type RootState } from '../../../core/safeguards/root-state.ts';
import type { Verdict } from '../../../core/safeguards/verdict.ts';
import type { Key, UnixMs } from '../../../core/domain.ts';
import type { Guards } from '../guards.ts';

/** Logs that lost over half count together within this time when they are noticed one by one. */
const LOST_LOGS_WINDOW_MS = 60_000;

/**
 * What one machine did lately that would be dangerous to pass on (docs/sync.md section 8). Every method that says something other
 * than `null` means: stop this machine, the others go on.
 */
export class MachineSafeguards {
  readonly #guards: Guards;
  readonly #deletes = new DeleteWindow();
  readonly #back = new BackInTime();
  readonly #pendingDeletes = new Set<Key>();
  readonly #lost: (LogSize & { readonly at: UnixMs })[] = [];

  constructor(guards: Guards) {
    this.#guards = guards;
  }

  /** A file with a propagating delete was found absent; it counts as soon as one of its kind is about to be passed on. */
  pendingDelete(key: Key, pending: boolean): void {
    if (pending) this.#pendingDeletes.add(key);
    else this.#pendingDeletes.delete(key);
  }

  /** A delete is about to be passed on. */
  deleting(key: Key, now: UnixMs, files: number): Verdict {
    if (!this.#guards.on('quarantine-deletes')) return null;
    for (const pending of [key, ...this.#pendingDeletes]) this.#deletes.note(pending, { do: 'commit-tombstone' }, now);
    this.#pendingDeletes.delete(key);
    return this.#deletes.verdict(now, files);
  }

  /** A copy has the content of a head that the machine had already passed. */
  wentBack(key: Key, now: UnixMs): Verdict {
    if (!this.#guards.on('quarantine-back-in-time')) return null;
    this.#back.note(key, now);
    return this.#back.verdict(now);
  }

  /** A log lost over half of its bytes. */
  lostLog(size: LogSize, now: UnixMs): Verdict {
    this.#lost.push({ ...size, at: now });
    while (this.#lost[0] && this.#lost[0].at < now - LOST_LOGS_WINDOW_MS) this.#lost.shift();
    return judgeLostLogs(this.#lost);
  }

  /** Judges a whole listing before anything of it is acted on. */
  listing(found: { readonly logs: Iterable<LogSize>; readonly changed: number; readonly files: number }): Verdict {
    return judgeLostLogs(found.logs) ?? judgeChangeBurst({ changed: found.changed, files: found.files });
  }

  /** Judges what lies at claudeDir. */
  root(state: RootState): Verdict {
    return this.#guards.on('quarantine-emptied') ? judgeRoot(state) : null;
  }

  /** The user let the machine go on. */
  clear(): void {
    this.#deletes.clear();
    this.#back.clear();
    this.#pendingDeletes.clear();
    this.#lost.length = 0;
  }
}
