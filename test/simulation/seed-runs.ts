import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Guard } from '../../src/hub/engine/guards.ts';
import type { SeedOrder, SeedOutcome } from './seed-worker.ts';

/** Which seeds to run and how. */
export interface SeedRuns {
  readonly first: number;
  readonly count: number;
  /** Processes that work side by side. */
  readonly workers: number;
  readonly guardOff?: Guard;
  readonly flavour?: string;
  readonly traceLines?: number;
  /** No new seed is begun after so many failures; `Infinity` runs them all. */
  readonly stopAfter: number;
  /** Told of every seed, in the order in which they end. */
  onOutcome?(outcome: SeedOutcome, done: number): void;
}

/**
 * Runs seeds in worker processes, each taking the next one when it is done with its last.
 * @returns what became of each, by seed. Rejects when a worker process ends by itself.
 */
export async function runSeeds(runs: SeedRuns): Promise<SeedOutcome[]> {
  const outcomes: SeedOutcome[] = [];
  let next = runs.first;
  let failures = 0;
  const end = runs.first + runs.count;

  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(fileURLToPath(new URL('seed-worker.ts', import.meta.url)), [], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      let current = -1;
      const give = (): void => {
        if (next >= end || failures >= runs.stopAfter) {
          current = -1;
          worker.disconnect();
          return;
        }
        current = next++;
        const order: SeedOrder = {
          seed: current,
          guardOff: runs.guardOff ?? null,
          flavour: runs.flavour ?? null,
          traceLines: runs.traceLines ?? 40,
        };
        worker.send(order);
      };
      worker.on('message', (outcome: SeedOutcome) => {
        outcomes.push(outcome);
        if (outcome.failure !== null) failures++;
        runs.onOutcome?.(outcome, outcomes.length);
        give();
      });
      worker.on('error', reject);
      worker.on('exit', (code, signal) => {
        if (current === -1) return resolve();
        reject(new Error(`the process that ran seed ${current} ended with ${signal ?? `code ${code}`}`));
      });
      give();
    });

  await Promise.all(Array.from({ length: Math.max(1, Math.min(runs.workers, runs.count)) }, work));
  return outcomes.sort((a, b) => a.seed - b.seed);
}
