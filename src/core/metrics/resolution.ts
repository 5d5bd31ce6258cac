import type { UnixMs } from '../domain.ts';

/** How finely figures are kept. */
export type ResolutionName = 'raw' | 'minute' | 'hour';

export interface Resolution {
  readonly name: ResolutionName;
  /** Length of the span of a point, ms; each begins at a multiple of it. */
  readonly stepMs: number;
  /** For how long its points are kept, ms. */
  readonly keepMs: number;
}

const HOUR_MS = 3_600_000;

/** What is kept how long. Each step is a multiple of the finer one. */
export const RESOLUTIONS: Readonly<Record<ResolutionName, Resolution>> = {
  raw: { name: 'raw', stepMs: 10_000, keepMs: 24 * HOUR_MS },
  minute: { name: 'minute', stepMs: 60_000, keepMs: 7 * 24 * HOUR_MS },
  hour: { name: 'hour', stepMs: HOUR_MS, keepMs: 366 * 24 * HOUR_MS },
};

const FROM_COARSE = [RESOLUTIONS.hour, RESOLUTIONS.minute, RESOLUTIONS.raw] as const;

/** A question about the last 24 h is asked a moment after its 24 h were reckoned, and must not be answered coarsely for that. */
const GRACE_MS = 60_000;

/**
 * The resolution that answers a question: of those that are kept since `from` the coarsest whose spans fit into the steps, which is the
 * least to read; where none fits, the finest that is kept.
 */
export function resolutionFor(asked: {
  readonly from: UnixMs;
  readonly stepMs: number;
  readonly now: UnixMs;
}): Resolution {
  const kept = FROM_COARSE.filter(({ keepMs }) => asked.from >= asked.now - keepMs - GRACE_MS);
  const fitting = kept.find(({ stepMs }) => asked.stepMs % stepMs === 0);
  return fitting ?? kept.at(-1) ?? RESOLUTIONS.hour;
}

/**
 * Points that begin before this are no longer kept. Always the beginning of an hour, so that no coarser point is ever made anew from the
 * half of its finer ones that is left.
 */
export function keptSince({ keepMs }: Resolution, now: UnixMs): UnixMs {
  return beginning(now - keepMs, RESOLUTIONS.hour.stepMs);
}

/** Beginning of the step of this length that `at` lies in. */
export function beginning(at: UnixMs, stepMs: number): UnixMs {
  return Math.floor(at / stepMs) * stepMs;
}
