import { InvalidArgumentError, type Command } from 'commander';
import { MOST_POINTS, type MetricsPoint, type MetricsSeriesResult } from '../../protocol/metrics.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT, type ExitCode } from '../failure.ts';
import { bytes, duration, pointInTime } from '../../client/figures.ts';
import { plainText } from '../../client/plain-text.ts';
import { table } from '../table.ts';

interface MetricsOptions {
  readonly machine?: string;
  readonly since?: number;
  readonly step?: number;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const USUAL_SINCE_MS = 86_400_000;
/** Steps that a person would choose, ms. */
const ROUND_STEPS = [10_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];
/** Without `--step` a table has about this many rows. */
const USUAL_ROWS = 24;

/**
 * `metrics`: all figures of now as OpenMetrics text, or, with any of its options, figures over time as a table. With `--json` what the hub
 * answered, as it is.
 */
export function addMetrics(program: Command, host: CommandHost): void {
  host
    .command(program, 'metrics', 'print all figures as OpenMetrics text, or figures over time')
    .option('--machine <name>', 'over time, of this machine (default: all together)')
    .option('--since <time>', 'over time, for this long until now: 90m, 24h, 7d (default: 24h)', lengthOfTime)
    .option('--step <time>', 'over time, a row for each: 10s, 5m, 1h', lengthOfTime)
    .action(
      host.run((cli, options: MetricsOptions) => {
        const isSeries = [options.machine, options.since, options.step].some((option) => option !== undefined);
        return isSeries ? printSeries(cli, options) : printAll(cli);
      }),
    );
}

function lengthOfTime(text: string): number {
  const [, number = '', unit = ''] = /^([0-9]+)([smhd])$/.exec(text) ?? [];
  const ms = Number(number) * (UNITS[unit] ?? 0);
  if (ms < 10_000 || !Number.isSafeInteger(ms))
    throw new InvalidArgumentError('a length of time from 10s is needed, such as 30s, 5m, 24h or 7d.');
  return ms;
}

async function printAll(cli: Cli): Promise<ExitCode> {
  const result = await cli.withHub((hub) => hub.request('metrics/text', {}));
  cli.out.result(result, () => cli.out.line(plainText(result.text).trimEnd()));
  return EXIT.done;
}

async function printSeries(cli: Cli, { machine, since: asMuch, step }: MetricsOptions): Promise<ExitCode> {
  // A fine step alone means the last of them, as many as one answer holds.
  const since = asMuch ?? Math.min(USUAL_SINCE_MS, (step ?? USUAL_SINCE_MS) * (MOST_POINTS - 1));
  const to = cli.world.now();
  const stepMs = step ?? ROUND_STEPS.find((round) => since / round <= USUAL_ROWS) ?? ROUND_STEPS.at(-1)!;
  const asked = { from: to - since, to, stepMs, ...(machine === undefined ? {} : { machine }) };
  const result = await cli.withHub((hub) => hub.request('metrics/series', asked));
  cli.out.result(result, () => cli.out.line(seriesTable(result)));
  return EXIT.done;
}

function seriesTable({ points }: MetricsSeriesResult): string {
  // Of the step that has only begun nothing is known yet, although the hub runs.
  const told = points.at(-1)?.observedMs === 0 ? points.slice(0, -1) : points;
  return table(['TIME', 'SYNCS', 'FAILED', 'SENT', 'RECEIVED', 'P50/P99', 'ONLINE'], told.map(row));
}

/** Nothing is known of a time in which the hub did not run, which is something else than nothing having happened. */
function row(point: MetricsPoint): string[] {
  const { at, observedMs, syncs, failed, bytesSent, bytesReceived, latencyMs, online } = point;
  if (observedMs === 0) return [pointInTime(at), '-', '-', '-', '-', '-', '-'];
  return [
    ...[pointInTime(at), String(syncs), String(failed), bytes(bytesSent), bytes(bytesReceived)],
    latencyMs.count === 0 ? '-' : `${duration(latencyMs.p50)} / ${duration(latencyMs.p99)}`,
    `${Math.floor(online * 1_000) / 10} %`,
  ];
}
