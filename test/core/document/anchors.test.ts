import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findAnchors } from '../../../src/core/document/anchors.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 10 });

describe('the anchors of three texts', () => {
  it('are lines that occur once in each, and in the same order in all', () => {
    fc.assert(
      fc.property(lines, lines, lines, (base, ours, theirs) => {
        let last = { base: -1, ours: -1, theirs: -1 };
        for (const anchor of findAnchors(base, ours, theirs)) {
          const line = base[anchor.base];
          assert.equal(ours[anchor.ours], line);
          assert.equal(theirs[anchor.theirs], line);
          for (const text of [base, ours, theirs]) assert.equal(text.filter((each) => each === line).length, 1);
          assert.ok(anchor.base > last.base && anchor.ours > last.ours && anchor.theirs > last.theirs);
          last = anchor;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('leave out as few lines as possible where one was moved', () => {
    const anchors = findAnchors([...'abcdef'], [...'bcdefa'], [...'abcdef']);
    assert.deepEqual(
      anchors.map((anchor) => anchor.base),
      [1, 2, 3, 4, 5],
    );
  });
});
