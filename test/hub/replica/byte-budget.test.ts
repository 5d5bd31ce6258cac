import assert from 'node:assert/strict';
import { ByteBudget } from '../../../src/hub/replica/many/byte-budget.ts';

describe('a budget of bytes', () => {
  it('is never exceeded, serves in order, and gives back what a task that failed held', async () => {
    const budget = new ByteBudget(10);
    let held = 0;
    let most = 0;
    const order: number[] = [];
    const run = async (index: number, bytes: number): Promise<void> =>
      budget.holding(bytes, async () => {
        order.push(index);
        held += bytes;
        most = Math.max(most, held);
        await new Promise(setImmediate);
        held -= bytes;
        if (index % 3 === 0) throw new Error('failed');
      });
    const sizes = [4, 6, 10, 1, 1, 9, 0, 3, 10, 2];
    const results = await Promise.allSettled(sizes.map((bytes, index) => run(index, bytes)));
    assert.deepEqual(
      results.map(({ status }) => status),
      sizes.map((_, index) => (index % 3 === 0 ? 'rejected' : 'fulfilled')),
    );
    assert.equal(most, 10);
    assert.deepEqual(
      order,
      sizes.map((_, index) => index),
    );
  });
});
