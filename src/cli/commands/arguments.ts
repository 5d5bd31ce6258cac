import { InvalidArgumentError } from 'commander';
import { LONGEST_WAIT_MS } from '../../protocol/sync.ts';

/** A whole number from 1. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || number < 1 || !Number.isSafeInteger(number)) {
    throw new InvalidArgumentError('a whole number from 1 is needed.');
  }
  return number;
}

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('a whole number is needed.');
  return number;
}

/** Seconds (fractions allowed) as ms. */
export function secondsAsMs(text: string): number {
  const ms = Math.round(Number(text) * 1000);
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || ms > LONGEST_WAIT_MS) {
    throw new InvalidArgumentError(`seconds from 0 to ${LONGEST_WAIT_MS / 1000} are needed.`);
  }
  return ms;
}
