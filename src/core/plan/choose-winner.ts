import type { MachineName, Sha256, UnixMs } from '../domain.ts';

/** One side of a conflict, as last-write-wins sees it. */
export interface Contender {
  readonly machine: MachineName;
  /** Last modification in the clock of `machine`. */
  readonly mtimeMs: UnixMs;
  /** How far the clock of `machine` is ahead of the hub's, in ms (negative: behind); 0 when it was never measured. */
  readonly clockOffsetMs: number;
  /** Hash of the content, to decide between equal times; leave it out (or `null`) where there is none. */
  readonly hash?: Sha256 | null;
}

/**
 * Last-write-wins: the side that was modified later on the hub's clock.
 *
 * Equal times (SFTP tells whole seconds) are decided by the greater hash and then by the greater machine name, so that
 * the answer never depends on which side was seen first: a total order, the same whichever side is called `a`.
 * A time that is no number loses against any that is.
 */
export function chooseWinner(a: Contender, b: Contender): 'a' | 'b' {
  const byTime = compare(correctedTime(a), correctedTime(b));
  if (byTime !== 0) return byTime > 0 ? 'a' : 'b';
  const byHash = compare(a.hash ?? '', b.hash ?? '');
  if (byHash !== 0) return byHash > 0 ? 'a' : 'b';
  return compare(a.machine, b.machine) >= 0 ? 'a' : 'b';
}

function correctedTime(side: Contender): number {
  const time = side.mtimeMs - side.clockOffsetMs;
  return Number.isNaN(time) ? -Infinity : time;
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
