import assert from 'node:assert/strict';
import { FLAVOURS } from './flavours.ts';
import { runSeeds } from './seed-runs.ts';
import { runOrder } from './seed-worker.ts';
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

describe('a simulated world with the real hub', function () {
  // It computes with the lowest priority beside other suites: how long that takes says nothing. The limit of the whole group holds.
  this.timeout(0);

  const hashes = (outcomes: readonly { readonly seed: number; readonly traceHash: string }[]): string[] =>
    outcomes.map(({ seed, traceHash }) => `${seed} ${traceHash}`);

  it('is the same run for the same seed, twice in one process and in two others', async () => {
    const here = [];
    for (let seed = 0; seed < FLAVOURS.length; seed++)
      here.push(await runOrder({ seed, guardOff: null, flavour: null, traceLines: 0 }));
    const again = [];
    for (let seed = FLAVOURS.length - 1; seed >= 0; seed--)
      again.unshift(await runOrder({ seed, guardOff: null, flavour: null, traceLines: 0 }));
    const elsewhere = await runSeeds({ first: 0, count: FLAVOURS.length, workers: 2, stopAfter: Infinity });
    assert.deepEqual(hashes(again), hashes(here), 'the second time in one process');
    assert.deepEqual(hashes(elsewhere), hashes(here), 'in other processes');
  });
});
