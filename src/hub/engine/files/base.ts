import type { Base, FileStat, Key, Pair, Sha256 } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { LOOK, type Outcome } from '../outcome.ts';

/** Within this time a second write may leave size and mtime of a file system with coarse times as they were. */
const COARSE_MTIME_MS = 2_000;
/** The same where times are fine: kernels take the time of their last tick. */
const TICK_MS = 20;
/** In the place of a time that does not tell whether the file is still the same. */
export const UNTRUSTED_TIME = -1;

/** Base of a copy that acknowledged a delete. */
export function absentBase(seq: number): Base {
  return { seq, kind: 'absent', hash: null, fileBytes: 0, mtimeMs: 0, inode: '', executable: false, cursor: null };
}

/** Base of a copy of anything but a log, as `stat` saw it. */
export function fileBase(stat: FileStat, seq: number, hash: Sha256 | null, executable: boolean): Base {
  return {
    seq,
    kind: 'file',
    hash,
    fileBytes: stat.size,
    mtimeMs: stat.mtimeMs,
    inode: stat.inode,
    executable,
    cursor: null,
  };
}

/** Whether nothing speaks for a change since the base was verified. */
export function isUnchanged(base: Base, stat: FileStat): boolean {
  return (
    base.fileBytes === stat.size &&
    base.mtimeMs === stat.mtimeMs &&
    base.inode === stat.inode &&
    base.executable === stat.executable
  );
}

/**
 * A second write within the same second may leave size and time as they were, where times are whole seconds: what was read less
 * than two seconds after its time is read again. Where they are finer, the same holds for the tick of a kernel. The base says so itself,
 * so that a restart in between forgets nothing.
 */
export function withTrustedTime(clock: Clock, machine: MachineView, key: Key, stat: FileStat): FileStat {
  const age = clock.now() - (stat.mtimeMs - machine.clockOffsetMs);
  const isCoarse = stat.mtimeMs % 1000 === 0;
  const span = isCoarse ? 2 * COARSE_MTIME_MS : TICK_MS;
  // A time in the future (a clock that was set back) never becomes older than that: waiting proves nothing.
  if (Math.abs(age) >= span) return stat;
  machine.queue.again(key, isCoarse ? COARSE_MTIME_MS : 2 * TICK_MS, 'settling');
  return { ...stat, mtimeMs: UNTRUSTED_TIME };
}

/** The planner wants content that was not read in this look (only the executable bit changed, a tombstone came): read it. */
export function readAgain(ctx: EngineContext, machine: MachineView, pair: Pair): Outcome {
  const stored = ctx.store.pairs.get(machine.name, pair.key) ?? pair;
  if (stored.base) ctx.store.pairs.put({ ...stored, base: { ...stored.base, inode: 'changed', mtimeMs: -1 } });
  return LOOK;
}
