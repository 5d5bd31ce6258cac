import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { hashSegment, SEGMENT_BYTES, segmentsOf } from '../../../src/core/log/segments.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('segments of a log', () => {
  it('cover every byte once, and only the last one is short', () => {
    assert.deepEqual(segmentsOf(0), []);
    assert.deepEqual(segmentsOf(1), [[0, 1]]);
    assert.deepEqual(segmentsOf(SEGMENT_BYTES), [[0, SEGMENT_BYTES]]);
    assert.deepEqual(segmentsOf(SEGMENT_BYTES + 5), [
      [0, SEGMENT_BYTES],
      [SEGMENT_BYTES, SEGMENT_BYTES + 5],
    ]);
  });

  it('are hashed as a whole and up to where they ended before, however the bytes come', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        fc.nat(45),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }),
        async (bytes, mark, sizes) => {
          async function* chunks(): AsyncGenerator<Uint8Array> {
            let at = 0;
            for (const size of sizes) {
              yield bytes.subarray(at, at + size);
              at += size;
            }
            yield bytes.subarray(at);
          }
          assert.deepEqual(await hashSegment(chunks(), mark), {
            bytes: bytes.length,
            hash: sha(bytes),
            atMark: mark > bytes.length ? null : sha(bytes.subarray(0, mark)),
          });
        },
      ),
    ));
});
