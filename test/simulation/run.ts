#!/usr/bin/env node
/**
 * Runs seeds of the simulation: `node test/simulation/run.ts [--seeds N] [--seed S] [--guard-off NAME] [--flavour NAME] [--verbose]`.
 * `--seed` is the first (and without `--seeds` the only) seed. Exit code 1 when one fails.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { Guard } from '../../src/hub/engine/guards.ts';
import { GUARD_NAMES, Guards } from '../../src/hub/engine/guards.ts';
import { bootEngine } from './engine-under-test.ts';
import { createHubUnderTest } from './hub-under-test.ts';
import { describeFailure, passed } from './report.ts';
import { runSeed } from './world.ts';

interface Options {
  readonly seeds?: number;
  readonly seed?: number;
  readonly guardOff?: Guard;
  readonly flavour?: string;
  readonly verbose?: boolean;
  readonly keepGoing?: boolean;
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
  .option('--verbose', 'print the whole trace of failing seeds')
  .option('--keep-going', 'run all seeds, whatever fails')
  .parse()
  .opts<Options>();

const first = options.seed ?? 0;
const count = options.seeds ?? (options.seed === undefined ? 2000 : 1);
const guards = new Guards(options.guardOff ? [options.guardOff] : []);
const started = performance.now();
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await runSeed(seed, (world) => createHubUnderTest(world, guards, bootEngine), options.flavour);
  if (!passed(result)) {
    failed++;
    process.stdout.write(
      `${describeFailure(result, options.verbose === true ? 400 : options.keepGoing === true ? 0 : 40)}\n`,
    );
    if (options.keepGoing !== true) break;
  } else if (options.verbose === true) {
    process.stdout.write(
      `seed ${seed} (${result.flavour}): ${result.events} events, ${Math.round(result.realMs)} ms, ${JSON.stringify(result.happenings)}\n`,
    );
  }
  const done = seed - first + 1;
  if (done % 100 === 0)
    process.stdout.write(
      `${done} of ${count} seeds, ${failed} failed, ${Math.round((performance.now() - started) / done)} ms each\n`,
    );
}
process.stdout.write(failed === 0 ? `all ${count} seeds passed\n` : `${failed} seeds failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
