import assert from 'node:assert/strict';
import { ALL_GUARDS, GUARD_NAMES, Guards } from '../../src/hub/engine/guards.ts';
import { bootEngine } from './engine-under-test.ts';
import { GUARD_SEEDS } from './guard-seeds.ts';
import { createHubUnderTest } from './hub-under-test.ts';
import { describeFailure, passed } from './report.ts';
import { runSeed } from './world.ts';

describe('every guard is needed', function () {
  this.timeout(60_000);

  for (const guard of GUARD_NAMES) {
    it(`${guard}: without it a promise breaks, with it none does`, async () => {
      const seed = GUARD_SEEDS[guard];
      assert.ok(seed !== undefined, `no seed is known; run: node test/simulation/find-guard-seeds.ts ${guard}`);
      const without = await runSeed(seed, (world) => createHubUnderTest(world, new Guards([guard]), bootEngine));
      assert.ok(!passed(without), `seed ${seed} passes without ${guard}; run find-guard-seeds.ts again`);
      const withGuard = await runSeed(seed, (world) => createHubUnderTest(world, ALL_GUARDS, bootEngine));
      assert.ok(passed(withGuard), describeFailure(withGuard));
    });
  }
});
