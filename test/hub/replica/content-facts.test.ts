import assert from 'node:assert/strict';
import fc from 'fast-check';
import { factsOf, FactsMeter, TAIL_BYTES } from '../../../src/hub/replica/many/content-facts.ts';

describe('facts of a content', () => {
  it('are the same for one that is at hand and one that goes by in pieces', () => {
    const content = fc.uint8Array({ maxLength: 3 * TAIL_BYTES });
    const cuts = fc.array(fc.nat({ max: 3 * TAIL_BYTES }), { maxLength: 5 });
    fc.assert(
      fc.property(content, cuts, (bytes, at) => {
        const meter = new FactsMeter();
        const ends = [...at.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
        ends.reduce((from, to) => (meter.add(bytes.subarray(from, to)), to), 0);
        const [whole, pieces] = [factsOf(bytes), meter.facts()];
        assert.deepEqual({ ...whole, tail: [...whole.tail] }, { ...pieces, tail: [...pieces.tail] });
      }),
    );
  });
});
