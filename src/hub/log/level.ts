import { LOG_LEVELS } from '../config/schema.ts';

export { LOG_LEVELS };

/** Name of a level. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** pino's numbers, which the files hold. */
const NUMBERS: Readonly<Record<LogLevel, number>> = { error: 50, warn: 40, info: 30, debug: 20 };

/** The level of a line by its number; what lies beyond the known ones counts as the nearest. */
export function levelOf(number: number): LogLevel {
  return LOG_LEVELS.find((level) => number >= NUMBERS[level]) ?? 'debug';
}

/** Whether `level` is as grave as `least`, or graver. */
export function isAtLeast(level: LogLevel, least: LogLevel): boolean {
  return NUMBERS[level] >= NUMBERS[least];
}
