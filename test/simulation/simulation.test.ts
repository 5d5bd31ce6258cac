import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { FLAVOURS } from './flavours.ts';
import { runSeeds } from './seed-runs.ts';
import type { SeedOutcome } from './seed-worker.ts';

/** Seeds per run; `SIMULATION_SEEDS` changes it and `SIMULATION_FIRST_SEED` where it begins. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 2000);
const FIRST = Number(process.env['SIMULATION_FIRST_SEED'] ?? 0);

/** After so many failing seeds the rest is not run. */
const STOP_AFTER = 10;

describe('the hub in a world where everything goes wrong', function () {
  this.timeout(0);
  let outcomes: readonly SeedOutcome[] = [];

  before(`runs ${SEEDS} seeds`, async () => {
    const started = performance.now();
    outcomes = await runSeeds({
      first: FIRST,
      count: SEEDS,
      workers: availableParallelism(),
      stopAfter: STOP_AFTER,
      onOutcome(_outcome, done) {
        if (done % 100 !== 0) return;
        const seconds = Math.round((performance.now() - started) / 1000);
        process.stdout.write(`    ${done} of ${SEEDS} seeds after ${seconds} s\n`);
      },
    });
  });

  for (const { name } of FLAVOURS) {
    it(`loses, doubles, leaks and invents nothing: ${name}`, () => {
      const ofFlavour = outcomes.filter(({ flavour }) => flavour === name);
      assert.ok(ofFlavour.length > 0 || SEEDS < FLAVOURS.length, 'no seed of this flavour was run');
      const failures = ofFlavour.flatMap(({ failure }) => (failure === null ? [] : [failure]));
      assert.equal(failures.length, 0, failures.join('\n'));
    });
  }
});
