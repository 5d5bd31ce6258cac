import assert from 'node:assert/strict';
import { Recurring, type Turn } from '../../../src/hub/engine/upkeep/recurring.ts';
import { ManualClock } from '../store/manual-clock.ts';

const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};

describe('a task that is done from time to time', () => {
  let clock: ManualClock;
  let troubles: string[];
  let done: number;
  let task: (turn: Turn) => Promise<void>;
  let recurring: Recurring;

  beforeEach(() => {
    clock = new ManualClock();
    troubles = [];
    done = 0;
    task = async () => void (done += 1);
    recurring = new Recurring({
      clock,
      firstMs: () => 10,
      everyMs: 1_000,
      againMs: 100,
      task: (turn) => task(turn),
      onTrouble: (error) => troubles.push(error.message),
    });
  });

  it('is done after the start, then in its rhythm', async () => {
    recurring.start();
    assert.equal(done, 0);
    clock.advance(10);
    await turns();
    assert.equal(done, 1);
    clock.advance(999);
    await turns();
    assert.equal(done, 1);
    clock.advance(1);
    await turns();
    assert.equal(done, 2);
  });

  it('is tried again sooner when it failed, and its failure is told', async () => {
    task = () => Promise.reject(new Error('disk full'));
    recurring.start();
    clock.advance(10);
    await turns();
    assert.deepEqual(troubles, ['disk full']);
    task = async () => void (done += 1);
    clock.advance(100);
    await turns();
    assert.equal(done, 1);
  });

  it('is never done twice at a time, is told that the hub stops, and is waited for', async () => {
    let end: () => void = () => undefined;
    let seen: Turn | undefined;
    task = (turn) => {
      done += 1;
      seen = turn;
      return new Promise((resolve) => (end = resolve));
    };
    recurring.start();
    clock.advance(10);
    clock.advance(10_000);
    assert.equal(done, 1);
    assert.equal(seen?.stopped(), false);
    let isStopped = false;
    const stopping = recurring.stop().then(() => (isStopped = true));
    await turns();
    assert.deepEqual([isStopped, seen.stopped()], [false, true]);
    end();
    await stopping;
    clock.advance(10_000);
    assert.deepEqual([done, clock.armed], [1, 0]);
  });
});
