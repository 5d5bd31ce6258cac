import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseWinner } from '../../../src/core/plan/choose-winner.ts';
import type { Contender } from '../../../src/core/plan/choose-winner.ts';

const contender: fc.Arbitrary<Contender> = fc.record({
  machine: fc.constantFrom('mac', 'nelly', 'rog'),
  mtimeMs: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(NaN)),
  clockOffsetMs: fc.integer({ min: -2, max: 2 }),
  hash: fc.constantFrom('aa', 'bb', null),
});

describe('last-write-wins', () => {
  it('chooses the later write', () => {
    const early = { machine: 'rog', mtimeMs: 1000, clockOffsetMs: 0 };
    const late = { machine: 'mac', mtimeMs: 2000, clockOffsetMs: 0 };
    assert.equal(chooseWinner(early, late), 'b');
    assert.equal(chooseWinner(late, early), 'a');
  });

  it('is not won by a clock that is ahead', () => {
    const ahead = { machine: 'nelly', mtimeMs: 61_000, clockOffsetMs: 60_000 };
    const exact = { machine: 'rog', mtimeMs: 2000, clockOffsetMs: 0 };
    assert.equal(chooseWinner(ahead, exact), 'b');
  });

  it('decides equal times by hash, then by name', () => {
    const of = (machine: string, hash: string | null): Contender => ({ machine, mtimeMs: 1, clockOffsetMs: 0, hash });
    assert.equal(chooseWinner(of('rog', 'aa'), of('mac', 'bb')), 'b');
    assert.equal(chooseWinner(of('rog', 'aa'), of('mac', 'aa')), 'a');
    assert.equal(chooseWinner(of('rog', 'aa'), of('mac', null)), 'a');
  });

  it('gives the same winner whichever side is named first', () => {
    fc.assert(
      fc.property(contender, contender, (a, b) => {
        const winner = chooseWinner(a, b) === 'a' ? a : b;
        const swapped = chooseWinner(b, a) === 'a' ? b : a;
        assert.deepEqual(corrected(winner), corrected(swapped));
      }),
    );
  });

  it('is transitive, so that three sides have one winner in any order', () => {
    fc.assert(
      fc.property(contender, contender, contender, (a, b, c) => {
        const best = (...all: Contender[]): Contender => all.reduce((x, y) => (chooseWinner(x, y) === 'a' ? x : y));
        assert.deepEqual(corrected(best(a, b, c)), corrected(best(c, b, a)));
        assert.deepEqual(corrected(best(a, b, c)), corrected(best(b, c, a)));
      }),
    );
  });
});

/** What the order sees: two sides with the same corrected time, hash and name are the same to it. */
function corrected(side: Contender): unknown {
  const time = side.mtimeMs - side.clockOffsetMs;
  return { time: Number.isNaN(time) ? null : time, hash: side.hash ?? '', machine: side.machine };
}
