import assert from 'node:assert/strict';
import { FLAVOURS } from './flavours.ts';
import { createIdleHub } from './simulated-hub.ts';
import { runSeed } from './world.ts';

describe('a simulated world', () => {
  it('is the same for the same seed, event by event, in every flavour', async () => {
    for (let seed = 0; seed < FLAVOURS.length; seed++) {
      const [first, second] = [await runSeed(seed, createIdleHub), await runSeed(seed, createIdleHub)];
      assert.equal(first.crash, null, `${first.flavour}: ${first.crash?.stack ?? ''}`);
      assert.equal(first.traceHash, second.traceHash, first.flavour);
      assert.deepEqual(first.violations, second.violations, first.flavour);
    }
  });

  it('is another world for another seed', async () => {
    const hashes = await Promise.all([14, 28, 42].map(async (seed) => (await runSeed(seed, createIdleHub)).traceHash));
    assert.equal(new Set(hashes).size, 3);
  });

  it('shows a hub that does nothing for what it is', async () => {
    const promises = new Set<string>();
    for (let seed = 0; seed < FLAVOURS.length; seed++) {
      for (const { promise } of (await runSeed(seed, createIdleHub)).violations) promises.add(promise);
    }
    for (const promise of ['line-lost', 'history-lost', 'content-lost', 'not-level'])
      assert.ok(promises.has(promise), promise);
  });
});
