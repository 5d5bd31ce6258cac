import assert from 'node:assert/strict';
import { Prng } from './prng.ts';
import { Scheduler } from './scheduler.ts';

describe('the scheduler of the simulation', () => {
  it('runs events in order of time, and of asking when the times are equal', async () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    for (const [ms, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [3, 'b'],
    ] as const)
      scheduler.after(ms, name, () => ran.push(name));
    const cancel = scheduler.after(2, 'never', () => ran.push('never'));
    cancel();
    await scheduler.run(scheduler.now + 10);
    assert.deepEqual(ran, ['a', 'b', 'c', 'd']);
  });

  it('drains every microtask before the next event, however long the chain of awaits', async () => {
    const scheduler = new Scheduler();
    const ran: string[] = [];
    scheduler.after(1, 'first', () => {
      void (async () => {
        for (let i = 0; i < 500; i++) await Promise.resolve();
        ran.push('chain of the first');
      })();
    });
    scheduler.after(1, 'second', () => ran.push('second'));
    await scheduler.run(scheduler.now + 10);
    assert.deepEqual(ran, ['chain of the first', 'second']);
  });

  it('ends the run with the error of an event', async () => {
    const scheduler = new Scheduler();
    scheduler.after(1, 'bad', () => {
      throw new Error('as planned');
    });
    await assert.rejects(scheduler.run(scheduler.now + 10), /as planned/);
  });

  it('keeps the timers of a process that has died from firing', async () => {
    const scheduler = new Scheduler();
    let alive = true;
    let fired = 0;
    const clock = scheduler.clock(
      'hub',
      () => 0,
      () => alive,
    );
    clock.after(5, () => fired++);
    clock.after(20, () => fired++);
    await scheduler.run(scheduler.now + 10);
    alive = false;
    await scheduler.run(scheduler.now + 100);
    assert.equal(fired, 1);
  });

  it('lets everything sleep: clocks go on, timers have as long to wait as before, and no event is spent on it', async () => {
    const scheduler = new Scheduler();
    const start = scheduler.now;
    const ran: [string, number][] = [];
    scheduler.after(10, 'second', () => ran.push(['second', scheduler.now - start]));
    scheduler.after(5, 'first', () => ran.push(['first', scheduler.now - start]));
    scheduler.suspend(600_000);
    assert.equal(scheduler.now - start, 600_000);
    assert.equal(scheduler.events, 0);
    await scheduler.run(scheduler.now + 20);
    assert.deepEqual(ran, [
      ['first', 600_005],
      ['second', 600_010],
    ]);
  });

  it('gives the same numbers for the same seed, and others for another', () => {
    const draw = (seed: number): number[] => {
      const prng = new Prng(seed);
      return Array.from({ length: 50 }, () => prng.int(0, 1_000_000));
    };
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
  });
});
