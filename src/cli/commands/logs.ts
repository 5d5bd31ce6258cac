import { InvalidArgumentError, Option, type Command } from 'commander';
import { followLog } from '../../hub/log/follow-log.ts';
import { LOG_LEVELS, type LogLevel } from '../../hub/log/level.ts';
import type { LogFilter, LogLine } from '../../hub/log/log-line.ts';
import { readLog, type LogReading } from '../../hub/log/read-log.ts';
import { HubError } from '../../protocol/errors.ts';
import type { Cli, CommandHost } from '../cli.ts';
import { EXIT, type ExitCode } from '../failure.ts';
import { count } from '../../client/figures.ts';
import type { Output, Tint } from '../output.ts';
import { plainLine } from '../../client/plain-text.ts';

interface LogsOptions {
  readonly follow?: true;
  readonly lines: number;
  readonly level?: LogLevel;
  readonly machine?: string;
  readonly since?: number;
}

const USUAL_LINES = 50;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const ALIVE_MS = 60_000;

/**
 * `logs`: what the hub has done. Reads the files, so it needs no hub. With `--json` the lines as they are in the files, one a line.
 * Without a log it fails (1), and with `--follow` it waits for one.
 */
export function addLogs(program: Command, host: CommandHost): void {
  host
    .command(program, 'logs', "show the hub's log")
    .option('-f, --follow', 'go on with what is written from now on, until Ctrl-C')
    .option('-n, --lines <count>', 'as many of the last lines', wholeNumber, USUAL_LINES)
    .addOption(new Option('--level <level>', 'lines of this level and graver ones').choices([...LOG_LEVELS].reverse()))
    .option('--machine <name>', 'lines about this machine')
    .option('--since <time>', 'lines that are no older: 90s, 30m, 2h, 7d', timeAsMs)
    .action(host.run((cli, options: LogsOptions) => showLogs(cli, options)));
}

async function showLogs(cli: Cli, options: LogsOptions): Promise<ExitCode> {
  if (options.follow !== true) {
    const { isThere } = await showLast(cli, options);
    if (!isThere) throw noLog(cli);
    return EXIT.done;
  }
  const ended = new AbortController();
  const onSignal = (): void => ended.abort();
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // Between two looks nothing else may keep the process alive.
  const alive = setInterval(() => undefined, ALIVE_MS);
  try {
    const { isThere, position } = await showLast(cli, options);
    const file = cli.places.logFile;
    if (!isThere) cli.out.note(`there is no log at ${file} yet; waiting for it`);
    const following = followLog(file, { signal: ended.signal, position, filter: filterOf(cli, options) });
    for await (const line of following) printLine(cli.out, line);
    // A signal is how one ends it, so it is no failure.
    return EXIT.done;
  } finally {
    clearInterval(alive);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

async function showLast(cli: Cli, options: LogsOptions): Promise<LogReading> {
  const reading = await readLog(cli.places.logFile, options.lines, filterOf(cli, options));
  for (const line of reading.lines) printLine(cli.out, line);
  if (reading.broken > 0) cli.out.note(`${count(reading.broken, 'broken line')} left out`);
  return reading;
}

function filterOf({ world }: Cli, { level, machine, since }: LogsOptions): LogFilter {
  return { level, machine, since: since === undefined ? undefined : world.now() - since };
}

function noLog({ places }: Cli): HubError {
  return new HubError('not-found', `there is no log at ${places.logFile}: no hub has run with this data folder`, {
    unchanged: 'Nothing was changed.',
    next: 'Start the hub with claude-sync up, or name its data folder with --data-dir.',
  });
}

const TINTS: Readonly<Record<LogLevel, Tint>> = { error: 'red', warn: 'yellow', info: 'green', debug: 'dim' };
const LEVEL_WIDTH = 5;

function printLine(out: Output, line: LogLine): void {
  if (out.json) return out.event(JSON.parse(line.text));
  const { machine, ...fields } = line.fields;
  const words = [
    out.tint('dim', localTime(line.at)),
    out.tint(TINTS[line.level], line.level.padEnd(LEVEL_WIDTH)),
    ...(typeof machine === 'string' ? [out.tint('cyan', plainLine(machine))] : []),
    plainLine(line.message),
    ...Object.entries(fields).flatMap(([name, value]) =>
      value === null ? [] : [out.tint('dim', plainLine(`${name}=`)) + plainLine(shown(value))],
    ),
  ];
  out.line(words.join(' '));
}

/** A value in one word, or in quotes. Errors as what they say; where they were made is for `--json`. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (saidBy(value) ?? JSON.stringify(value));
  const isWord = typeof value !== 'string' && saidBy(value) === null;
  return isWord || /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}

function saidBy(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('message' in value)) return null;
  const { name, message, causes } = value as { name?: unknown; message: unknown; causes?: unknown };
  if (typeof message !== 'string') return null;
  const own = typeof name === 'string' ? `${name}: ${message}` : message;
  const more = Array.isArray(causes) ? causes.map(saidBy).filter((text) => text !== null) : [];
  return [own, ...more].join('; because of ');
}

/** `2026-01-31 12:00:00.000`, as the clock on the wall shows it. */
function localTime(at: number): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return 'no time'.padEnd(23);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [two(time.getHours()), two(time.getMinutes()), two(time.getSeconds())].join(':');
  return `${day} ${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('a whole number from 0 is needed.');
  }
  return number;
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function timeAsMs(text: string): number {
  const [, number = '', unit = ''] = /^([0-9]{1,9})([smhd])$/.exec(text) ?? [];
  const ms = UNITS_MS[unit];
  if (ms === undefined) throw new InvalidArgumentError('a number with s, m, h or d is needed, for example 2h.');
  return Number(number) * ms;
}
