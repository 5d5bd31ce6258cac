#!/usr/bin/env node
/**
 * Searches seeds that fail without a guard and pass with it: `node test/simulation/find-guard-seeds.ts [--seeds N] [GUARD ...]`.
 * Prints lines for `guard-seeds.ts`, and what broke.
 */
import { Command } from 'commander';
import type { Guard } from '../../src/hub/engine/guards.ts';
import { ALL_GUARDS, GUARD_NAMES, Guards } from '../../src/hub/engine/guards.ts';
import { bootEngine } from './engine-under-test.ts';
import { createHubUnderTest } from './hub-under-test.ts';
import { describeViolation } from './oracle/violation.ts';
import { passed } from './report.ts';
import { runSeed } from './world.ts';

const program = new Command()
  .option('--seeds <count>', 'seeds to try per guard', Number, 1000)
  .argument('[guards...]')
  .parse();
const { seeds } = program.opts<{ readonly seeds: number }>();
const wanted = program.args.length > 0 ? GUARD_NAMES.filter((name) => program.args.includes(name)) : GUARD_NAMES;

async function find(guard: Guard): Promise<string> {
  for (let seed = 0; seed < seeds; seed++) {
    const without = await runSeed(seed, (world) => createHubUnderTest(world, new Guards([guard]), bootEngine));
    if (passed(without)) continue;
    const withGuard = await runSeed(seed, (world) => createHubUnderTest(world, ALL_GUARDS, bootEngine));
    if (!passed(withGuard)) continue;
    const [violation] = without.violations;
    return `  '${guard}': ${seed}, // ${without.flavour}: ${violation ? describeViolation(violation) : (without.crash?.message ?? '')}`;
  }
  return `  // '${guard}': none in ${seeds} seeds`;
}

for (const guard of wanted) process.stdout.write(`${await find(guard)}\n`);
