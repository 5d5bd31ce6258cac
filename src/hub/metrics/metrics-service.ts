import { setImmediate } from 'node:timers/promises';
import type { MachineName } from '../../core/domain.ts';
import { ALL_MACHINES } from '../../core/metrics/point.ts';
import { beginning, resolutionFor } from '../../core/metrics/resolution.ts';
import { series, stepsOf } from '../../core/metrics/series.ts';
import { HubError } from '../../protocol/errors.ts';
import { MOST_POINTS } from '../../protocol/metrics.ts';
import type { ParamsOf, ResultOf } from '../../protocol/methods.ts';
import type { HubService } from '../../protocol/service.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetricTable } from '../store/store.ts';
import { OPEN_METRICS_TYPE, openMetrics, type Figures } from './open-metrics.ts';
import { recordedPoints } from './recorded-points.ts';
import type { Sampler } from './sampler.ts';

export interface MetricsServiceOptions {
  readonly metrics: MetricTable;
  readonly sampler: Pick<Sampler, 'unwritten'>;
  readonly clock: Clock;
  /** Whether there is, or was, such a machine. */
  readonly knows: (machine: MachineName) => boolean;
  /** Everything that is told of now. */
  readonly figures: () => Figures;
}

/** What clients hear about figures. */
export interface MetricsService {
  readonly requests: Pick<HubService, 'metrics/series' | 'metrics/text'>;
}

/** Answers the requests about figures from the store and from what is counted now. */
export function createMetricsService(options: MetricsServiceOptions): MetricsService {
  return {
    requests: {
      'metrics/series': (asked) => seriesOf(options, asked),
      'metrics/text': async () => ({ contentType: OPEN_METRICS_TYPE, text: openMetrics(options.figures()) }),
    },
  };
}

/** @throws {HubError} `invalid-params`, `not-found`. */
async function seriesOf(
  { metrics, sampler, clock, knows }: MetricsServiceOptions,
  { machine, from, to, stepMs }: ParamsOf<'metrics/series'>,
): Promise<ResultOf<'metrics/series'>> {
  const range = { from, to, stepMs };
  if (to <= from)
    throw refused(
      `figures from ${from} to ${to} were asked for, and that is no time`,
      'Ask for an end after the beginning.',
    );
  const steps = stepsOf(range);
  if (steps > MOST_POINTS) {
    const enough = Math.ceil((to - from) / (MOST_POINTS - 1) / 1_000);
    throw refused(
      `figures for ${steps} steps were asked for, and one answer holds ${MOST_POINTS}`,
      `Ask for a shorter time, or for steps of at least ${enough} s.`,
    );
  }
  if (machine !== undefined && !knows(machine))
    throw new HubError('not-found', `figures of ${machine} were asked for, and there is no such machine`, {
      unchanged: 'Nothing was changed.',
      next: 'claude-sync machines list names them.',
    });
  const { name } = resolutionFor({ from, stepMs, now: clock.now() });
  const records = { metrics, unwritten: (of: MachineName) => sampler.unwritten(of), turn: () => setImmediate() };
  const points = await recordedPoints(records, {
    machine: machine ?? ALL_MACHINES,
    from: beginning(from, stepMs),
    to,
    resolution: name,
  });
  return { resolution: name, stepMs, points: series(points, range) };
}

function refused(message: string, next: string): HubError {
  return new HubError('invalid-params', message, { unchanged: 'Nothing was changed.', next });
}
