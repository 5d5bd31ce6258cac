import { randomBytes } from 'node:crypto';
import type { Clock, Random } from './clock.ts';

/** A longer timer would run at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The computer's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      timer =
        left <= LONGEST_TIMER_MS
          ? setTimeout(task, left)
          : setTimeout(() => wait(left - LONGEST_TIMER_MS), LONGEST_TIMER_MS);
      timer.unref();
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** Randomness of the operating system. */
export const systemRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString('hex'),
};
