import type { Guard } from '../../src/hub/engine/guards.ts';
import { Guards } from '../../src/hub/engine/guards.ts';
import { bootEngine } from './engine-under-test.ts';
import { createHubUnderTest } from './hub-under-test.ts';
import { describeFailure, passed } from './report.ts';
import { runSeed } from './world.ts';

/** What a worker process is asked to run. */
export interface SeedOrder {
  readonly seed: number;
  readonly guardOff: Guard | null;
  readonly flavour: string | null;
  /** How many of the last events a failure shows. */
  readonly traceLines: number;
}

/** How a seed went, as it travels between processes. */
export interface SeedOutcome {
  readonly seed: number;
  readonly flavour: string;
  readonly events: number;
  readonly realMs: number;
  readonly traceHash: string;
  readonly happenings: Readonly<Record<string, number>>;
  /** The failure for a person to read, `null` when the seed passed. */
  readonly failure: string | null;
}

/** Runs one seed with the real hub. */
export async function runOrder({ seed, guardOff, flavour, traceLines }: SeedOrder): Promise<SeedOutcome> {
  const guards = new Guards(guardOff === null ? [] : [guardOff]);
  const result = await runSeed(seed, (world) => createHubUnderTest(world, guards, bootEngine), flavour ?? undefined);
  return {
    seed,
    flavour: result.flavour,
    events: result.events,
    realMs: result.realMs,
    traceHash: result.traceHash,
    happenings: result.happenings,
    failure: passed(result) ? null : describeFailure(result, traceLines),
  };
}

// As a process of its own it runs the seeds that its parent sends, one after the other, until the parent hangs up.
if (process.send && process.argv[1] === import.meta.filename) {
  process.on('message', (order: SeedOrder) => {
    runOrder(order).then(
      (outcome) => process.send?.(outcome),
      (error: unknown) => {
        // Nothing the world foresees: the parent sees the process end and names the seed.
        process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
