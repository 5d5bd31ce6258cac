#!/usr/bin/env node
/**
 * Searches seeds that fail without a guard and pass with it: `node test/simulation/find-guard-seeds.ts [--seed S] [--seeds N]
 * [--flavour NAME] [GUARD ...]`. Prints lines for `guard-seeds.ts`, and what broke.
 */
import { Command } from 'commander';
import type { Guard } from '../../src/hub/engine/guards.ts';
import { GUARD_NAMES } from '../../src/hub/engine/guards.ts';
import { FLAVOURS } from './flavours.ts';
import { runOrder } from './seed-worker.ts';

const program = new Command()
  .option('--seed <number>', 'the first seed', Number, 0)
  .option('--seeds <count>', 'seeds to try per guard', Number, 1000)
  .option('--flavour <name>', 'only seeds of this flavour')
  .argument('[guards...]')
  .parse();
const { seed: first, seeds, flavour } = program.opts<{ seed: number; seeds: number; flavour?: string }>();
const wanted = program.args.length > 0 ? GUARD_NAMES.filter((name) => program.args.includes(name)) : GUARD_NAMES;

async function find(guard: Guard): Promise<string> {
  for (let seed = first; seed < first + seeds; seed++) {
    if (flavour !== undefined && FLAVOURS[seed % FLAVOURS.length]?.name !== flavour) continue;
    const order = { seed, flavour: null, traceLines: 0 };
    const without = await runOrder({ ...order, guardOff: guard });
    if (without.failure === null) continue;
    const withGuard = await runOrder({ ...order, guardOff: null });
    if (withGuard.failure !== null) continue;
    const [, , broken = ''] = without.failure.split('\n');
    return `  '${guard}': ${seed}, // ${without.flavour}, ${Math.round(without.realMs)} ms: ${broken.trim().slice(0, 110)}`;
  }
  return `  // '${guard}': none in ${seeds} seeds`;
}

for (const guard of wanted) process.stdout.write(`${await find(guard)}\n`);
