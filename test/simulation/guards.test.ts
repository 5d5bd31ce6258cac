import assert from 'node:assert/strict';
import { ALL_GUARDS, GUARD_NAMES, Guards } from '../../src/hub/engine/guards.ts';
import { SCENES } from './guards/scenes.ts';
import { play } from './guards/stage.ts';

describe('every guard is needed', function () {
  this.timeout(60_000);

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
