import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { SEGMENT_BYTES, SegmentHasher } from '../../../src/core/log/segments.ts';

describe('segment hashes', () => {
  const bytes = Buffer.alloc(3 * SEGMENT_BYTES + 12_345);
  for (let i = 0; i < bytes.length; i += 1000) bytes.writeUInt32LE(i, Math.min(i, bytes.length - 4));
  const expected = [0, 1, 2].map((segment) =>
    createHash('sha256')
      .update(bytes.subarray(segment * SEGMENT_BYTES, (segment + 1) * SEGMENT_BYTES))
      .digest('hex'),
  );

  for (const size of [65_536, 1_000_003, SEGMENT_BYTES, bytes.length]) {
    it(`are those of the whole segments, with pieces of ${size} bytes`, () => {
      const hasher = new SegmentHasher({ offset: 0, hashes: [] });
      for (let from = 0; from < bytes.length; from += size) hasher.update(bytes.subarray(from, from + size));
      assert.deepEqual(hasher.hashes(), expected);
    });
  }

  it('go on where they stopped', () => {
    const hasher = new SegmentHasher({ offset: SEGMENT_BYTES, hashes: expected.slice(0, 1) });
    hasher.update(bytes.subarray(SEGMENT_BYTES));
    assert.deepEqual(hasher.hashes(), expected);
  });

  it('leave out a segment that is not whole, by one byte', () => {
    const hasher = new SegmentHasher({ offset: 0, hashes: [] });
    hasher.update(bytes.subarray(0, SEGMENT_BYTES - 1));
    assert.deepEqual(hasher.hashes(), []);
    hasher.update(bytes.subarray(SEGMENT_BYTES - 1, SEGMENT_BYTES));
    assert.deepEqual(hasher.hashes(), expected.slice(0, 1));
  });

  it('refuse to go on anywhere but at the end of the segments given', () => {
    assert.throws(() => new SegmentHasher({ offset: 5, hashes: [] }), RangeError);
    assert.throws(() => new SegmentHasher({ offset: SEGMENT_BYTES, hashes: [] }), RangeError);
  });

  it('given out are a copy', () => {
    const hasher = new SegmentHasher({ offset: 0, hashes: [] });
    hasher.hashes().push('x');
    assert.deepEqual(hasher.hashes(), []);
  });
});
