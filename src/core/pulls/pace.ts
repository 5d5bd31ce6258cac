import type { UnixMs } from '../domain.ts';

/** GitHub's budget of points for one user and hour. */
export interface Rate {
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: UnixMs;
  /** Points of the last refresh. */
  readonly cost: number;
}

/** What the time of the next refresh depends on. */
export interface Pace {
  readonly now: UnixMs;
  /** As configured, ms. */
  readonly everyMs: number;
  /** `null` while GitHub never answered. */
  readonly rate: Rate | null;
  /** Refreshes that failed since the last one that did not. */
  readonly failures: number;
  /** GitHub said not to ask before this time. */
  readonly notBefore: UnixMs | null;
}

/** The rest of the budget is the user's own: below this share of it nothing is asked before the budget is whole again. */
const LOW = 0.1;
/** Refreshes take at most this share of an hour's budget. */
const MOST = 0.5;
const HOUR_MS = 3_600_000;
/** After a failure it is tried again sooner than usual, each time later: 1, 2, 4 ... minutes. */
const RETRY_MS = 60_000;

/** When GitHub is asked again. Never sooner than GitHub allows. */
export function nextRefreshAt({ now, everyMs, rate, failures, notBefore }: Pace): UnixMs {
  const usual = failures === 0 ? everyMs : Math.min(everyMs, RETRY_MS * 2 ** (failures - 1));
  // One that failed took no points.
  const isFree = failures > 0 || rate === null || rate.limit <= 0;
  const affordable = isFree ? 0 : (rate.cost * HOUR_MS) / (rate.limit * MOST);
  let next = now + Math.max(usual, affordable);
  if (rate !== null && rate.resetAt > now && rate.remaining - rate.cost < rate.limit * LOW)
    next = Math.max(next, rate.resetAt);
  return Math.max(next, notBefore ?? 0);
}
