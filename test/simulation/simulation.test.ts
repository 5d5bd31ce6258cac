import assert from 'node:assert/strict';
import { ALL_GUARDS } from '../../src/hub/engine/guards.ts';
import { bootEngine } from './engine-under-test.ts';
import { FLAVOURS } from './flavours.ts';
import { createHubUnderTest } from './hub-under-test.ts';
import { describeFailure, passed } from './report.ts';
import { runSeed } from './world.ts';

/** Seeds per run; `SIMULATION_SEEDS` changes it and `SIMULATION_FIRST_SEED` where it begins. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 2000);
const FIRST = Number(process.env['SIMULATION_FIRST_SEED'] ?? 0);

describe('the hub in a world where everything goes wrong', function () {
  this.timeout(0);

  FLAVOURS.forEach((flavour, index) => {
    it(`loses, doubles, leaks and invents nothing: ${flavour.name}`, async () => {
      let ran = 0;
      for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
        if (seed % FLAVOURS.length !== index) continue;
        const result = await runSeed(seed, (world) => createHubUnderTest(world, ALL_GUARDS, bootEngine));
        assert.ok(passed(result), describeFailure(result));
        ran++;
      }
      assert.ok(ran > 0 || SEEDS < FLAVOURS.length, 'some seed has this flavour');
    });
  });

  it('is the same run for the same seed', async () => {
    const run = (): ReturnType<typeof runSeed> =>
      runSeed(FIRST + 3, (world) => createHubUnderTest(world, ALL_GUARDS, bootEngine));
    assert.equal((await run()).traceHash, (await run()).traceHash);
  });
});
