import type { MachineName, UnixMs } from '../../core/domain.ts';
import { isAtLeast, levelOf, type LogLevel } from './level.ts';

/** One line of the hub's log. */
export interface LogLine {
  readonly level: LogLevel;
  readonly at: UnixMs;
  readonly message: string;
  /** Everything else that the line says. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The line as it was written, without its newline. */
  readonly text: string;
}

/** Which lines are wanted; without anything: all. */
export interface LogFilter {
  /** This one and what is graver. */
  readonly level?: LogLevel | undefined;
  /** Lines that are about this machine. */
  readonly machine?: MachineName | undefined;
  /** Written at this time or later. */
  readonly since?: UnixMs | undefined;
}

/** Reads one line; `null` for a broken one (half written, not the hub's). */
export function parseLogLine(text: string): LogLine | null {
  const record = parseObject(text);
  if (record === null) return null;
  const { level, time, msg, ...fields } = record;
  if (typeof level !== 'number' || typeof time !== 'number') return null;
  return { level: levelOf(level), at: time, message: typeof msg === 'string' ? msg : '', fields, text };
}

/** Whether a line is wanted. */
export function matches({ level, at, fields }: LogLine, filter: LogFilter): boolean {
  if (filter.level !== undefined && !isAtLeast(level, filter.level)) return false;
  if (filter.since !== undefined && at < filter.since) return false;
  return filter.machine === undefined || isAbout(fields, filter.machine);
}

/** Fields that name machines, one or several. */
const NAMING = ['machine', 'machines', 'source', 'target'];

function isAbout(fields: Readonly<Record<string, unknown>>, machine: MachineName): boolean {
  return NAMING.some((name) => {
    const value = fields[name];
    return Array.isArray(value) ? value.includes(machine) : value === machine;
  });
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
