import assert from 'node:assert/strict';
import fc from 'fast-check';
import { damageOf } from '../../../src/core/log/fragment.ts';

const LINE = Buffer.from('{"type":"user","uuid":"8a1f"}');

describe('lines that an append left broken', () => {
  it('the beginning and the end of a line are pieces of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: LINE.length - 1 }), (at) => {
        assert.equal(damageOf(LINE.subarray(0, at), LINE), 'piece');
        assert.equal(damageOf(LINE.subarray(at), LINE), 'piece');
      }),
    );
  });

  it('so is what is in the middle, unless it is too short to tell', () => {
    assert.equal(damageOf(LINE.subarray(3, 3 + 16), LINE), 'piece');
    assert.equal(damageOf(LINE.subarray(3, 3 + 15), LINE), null);
  });

  it('a line behind anything else is spliced', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (torn) => {
        assert.equal(damageOf(Buffer.concat([torn, LINE]), LINE), 'spliced');
      }),
    );
  });

  it('the line itself, an empty one, a few of its letters and another line are not explained by it', () => {
    for (const other of [LINE, Buffer.alloc(0), LINE.subarray(3, 9), Buffer.from('{"type":"user","uuid":"8a1e"}')]) {
      assert.equal(damageOf(other, LINE), null);
    }
  });

  it('a line that ends like a very short one is its own', () => {
    assert.equal(damageOf(Buffer.from('{"a":{}'), Buffer.from('{}')), null);
  });
});
