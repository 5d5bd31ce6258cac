import type { UnixMs } from '../../core/domain.ts';

/**
 * Time as the hub sees it. Passed in everywhere, so that the simulation and the tests own it.
 */
export interface Clock {
  /** Wall clock, Unix ms. */
  now(): UnixMs;
  /**
   * Runs `task` once after `ms`. The timer does not keep a process alive.
   * Errors of `task` are the caller's: it must not reject.
   * @returns a function that cancels the timer.
   */
  after(ms: number, task: () => void): () => void;
}

/** Source of random bytes for names that must not collide (temp files, replica ids). */
export interface Random {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
}

/** Resolves after `ms` on `clock`, earlier (without error) when `signal` aborts. */
export function delay(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      resolve();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
