import assert from 'node:assert/strict';
import { ALL_GUARDS, GUARD_NAMES, Guards } from '../../src/hub/engine/guards.ts';
import { CATCHING_SEEDS, SHOWN_BY_SCENES_ONLY } from './guards/catching-seeds.ts';
import { SCENES } from './guards/scenes.ts';
import { play } from './guards/stage.ts';
import { runSeeds } from './seed-runs.ts';

describe('every guard is needed', function () {
  // It computes with the lowest priority beside other suites: how long that takes says nothing. The limit of the whole group holds.
  this.timeout(0);

  for (const guard of GUARD_NAMES) {
    const scene = SCENES[guard];
    it(`${guard}: ${scene?.what ?? 'no scene shows what it is for'}`, async () => {
      assert.ok(scene, `test/simulation/guards/scenes.ts has no scene for ${guard}`);
      const options = { losesPower: scene.losesPower === true };
      const withGuard = await play(ALL_GUARDS, (stage) => scene.play(stage), options);
      assert.deepEqual(withGuard, [], 'a promise is broken with all guards on');
      const without = await play(new Guards([guard]), (stage) => scene.play(stage), options);
      assert.notDeepEqual(without, [], `nothing is broken without ${guard}`);
    });
  }
});

/**
 * The same by chance: a run of the simulation that breaks without the guard. Which one that is moves with every change of the engine,
 * so the seeds behind it are tried as well, until one is found.
 */
const NEARBY = 200;

describe('what the simulation finds without a guard', function () {
  // It computes with the lowest priority beside other suites: how long that takes says nothing. The limit of the whole group holds.
  this.timeout(0);

  for (const guard of GUARD_NAMES) {
    const catching = CATCHING_SEEDS[guard];
    if (catching === undefined) continue;
    const { seed, flavour } = catching;
    it(`${guard}: seed ${seed}${flavour === undefined ? '' : ` (${flavour})`}`, async () => {
      const outcomes = await runSeeds({
        first: seed,
        ...(flavour === undefined ? {} : { flavour }),
        count: NEARBY,
        workers: 1,
        guardOff: guard,
        traceLines: 0,
        stopAfter: 1,
      });
      const caught = outcomes.find(({ failure }) => failure !== null);
      assert.ok(caught, `none of ${NEARBY} seeds fails; npm run simulate -- --find-catching finds others`);
    });
  }

  it('is written down for all guards but those that only a directed scene shows', () => {
    const unlisted = GUARD_NAMES.filter((guard) => CATCHING_SEEDS[guard] === undefined);
    assert.deepEqual(unlisted, SHOWN_BY_SCENES_ONLY);
  });
});
