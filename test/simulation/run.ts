#!/usr/bin/env node
/**
 * Runs seeds of the simulation: `node test/simulation/run.ts [--seeds N] [--seed S] [--guard-off NAME] [--flavour NAME] [--jobs N]
 * [--keep-going] [--verbose]`. `--seed` is the first (and without `--seeds` the only) seed. Exit code 1 when one fails.
 * With `--find-catching` it takes one guard after the other away, and prints the first seed that fails without it
 * (for test/simulation/guards/catching-seeds.ts).
 */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { Guard } from '../../src/hub/engine/guards.ts';
import { GUARD_NAMES } from '../../src/hub/engine/guards.ts';
import { runSeeds } from './seed-runs.ts';

interface Options {
  readonly seeds?: number;
  readonly seed?: number;
  readonly guardOff?: Guard;
  readonly flavour?: string;
  readonly jobs?: number;
  readonly verbose?: boolean;
  readonly keepGoing?: boolean;
  readonly findCatching?: boolean;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('not a whole number');
  return value;
};
const guard = (text: string): Guard => {
  const found = GUARD_NAMES.find((name) => name === text);
  if (!found) throw new InvalidArgumentError(`one of ${GUARD_NAMES.join(', ')}`);
  return found;
};

const options = new Command()
  .option('--seeds <count>', 'how many seeds', whole)
  .option('--seed <number>', 'the first seed', whole)
  .option('--guard-off <name>', 'run without this guard', guard)
  .option('--flavour <name>', 'the same flavour for every seed')
  .option('--jobs <count>', 'processes side by side (as many as processors)', whole)
  .option('--verbose', 'print the whole trace of failing seeds, and what happened in the others')
  .option('--keep-going', 'run all seeds, whatever fails')
  .option('--find-catching', 'for each guard, the first seed that fails without it')
  .parse()
  .opts<Options>();

if (options.findCatching === true) {
  await findCatching(options.seed ?? 0, options.seeds ?? 2000, options.jobs ?? availableParallelism());
  process.exit(0);
}

const count = options.seeds ?? (options.seed === undefined ? 2000 : 1);
const started = performance.now();
let failed = 0;
await runSeeds({
  first: options.seed ?? 0,
  count,
  workers: options.jobs ?? availableParallelism(),
  ...(options.guardOff ? { guardOff: options.guardOff } : {}),
  ...(options.flavour === undefined ? {} : { flavour: options.flavour }),
  traceLines: options.verbose === true ? 400 : options.keepGoing === true ? 0 : 40,
  stopAfter: options.keepGoing === true ? Infinity : 1,
  onOutcome(outcome, done) {
    if (outcome.failure !== null) {
      failed++;
      process.stdout.write(`${outcome.failure}\n`);
    } else if (options.verbose === true) {
      const { seed, flavour, events, realMs, happenings } = outcome;
      process.stdout.write(
        `seed ${seed} (${flavour}): ${events} events, ${Math.round(realMs)} ms, ${JSON.stringify(happenings)}\n`,
      );
    }
    if (done % 100 === 0) {
      const each = Math.round((performance.now() - started) / done);
      process.stdout.write(`${done} of ${count} seeds, ${failed} failed, ${each} ms each\n`);
    }
  },
});
process.stdout.write(failed === 0 ? `all ${count} seeds passed\n` : `${failed} seeds failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function findCatching(first: number, count: number, workers: number): Promise<void> {
  for (const guardOff of GUARD_NAMES) {
    const outcomes = await runSeeds({ first, count, workers, guardOff, traceLines: 0, stopAfter: 1 });
    const seeds = outcomes.filter(({ failure }) => failure !== null).map(({ seed }) => seed);
    process.stdout.write(`  '${guardOff}': ${seeds.length > 0 ? Math.min(...seeds) : 'null'},\n`);
  }
}
