import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BOUNDS_MS, Histogram } from '../../../src/core/metrics/histogram.ts';

/** Short and long ones alike, up to four months. */
const lengths = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 5_000 }), fc.nat({ max: 10_000_000_000 })), {
  maxLength: 60,
});

/** Nearest rank, from the samples themselves. */
function exact(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
}

describe('a histogram of lengths of time', () => {
  it('tells every percentile within 3 %', () => {
    fc.assert(
      fc.property(lengths, fc.double({ min: 0, max: 1, noNaN: true }), (samples, share) => {
        const expected = exact(samples, share);
        const told = Histogram.of(samples).percentile(share);
        // A ms more or less where that is more than 3 %: whole ones are counted.
        const room = expected <= 1 ? 1 : 0.03 * expected;
        assert.ok(Math.abs(told - expected) <= room, `${told} instead of ${expected}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('tells each length within 3 %, also next to the edges of its buckets', () => {
    for (let power = 1; power <= 40; power += 1)
      for (const ms of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
        // The longest is known exactly; so that this is not, there is a longer one.
        const told = Histogram.of([ms, ms, 4 * ms]).percentile(0.5);
        if (power < 39) assert.ok(ms === 1 || Math.abs(told - ms) <= 0.03 * ms, `${told} instead of ${ms}`);
      }
  });

  it('knows number, sum and longest exactly', () => {
    fc.assert(
      fc.property(lengths, (samples) => {
        const { count, sum, max, mean } = Histogram.of(samples);
        const expected = samples.reduce((a, b) => a + b, 0);
        assert.deepEqual([count, sum, max], [samples.length, expected, Math.max(0, ...samples)]);
        assert.equal(mean, samples.length === 0 ? 0 : expected / samples.length);
      }),
    );
  });

  it('comes together with others as if all had been counted in one, in any order', () => {
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 6 }), (groups) => {
        const all = Histogram.of(groups.flat());
        const merged = groups.map((group) => Histogram.of(group)).reduce((a, b) => a.merge(b), Histogram.EMPTY);
        const backwards = groups.map((group) => Histogram.of(group)).reduceRight((a, b) => a.merge(b), Histogram.EMPTY);
        for (const one of [merged, backwards]) {
          assert.deepEqual(one, all);
          assert.deepEqual([...one.buckets], [...all.buckets]);
        }
      }),
    );
  });

  it('is not changed by what is added to it', () => {
    const histogram = Histogram.of([5]);
    histogram.add([7]);
    histogram.merge(Histogram.of([9]));
    assert.deepEqual(histogram, Histogram.of([5]));
    assert.equal(Histogram.EMPTY.count, 0);
  });

  it('counts up to each bound what is not longer, exactly', () => {
    fc.assert(
      fc.property(lengths, (samples) => {
        const expected = BOUNDS_MS.map((bound) => samples.filter((ms) => ms <= bound).length);
        assert.deepEqual(Histogram.of(samples).cumulative(BOUNDS_MS), expected);
      }),
    );
    assert.deepEqual(
      Histogram.of(BOUNDS_MS).cumulative(BOUNDS_MS),
      BOUNDS_MS.map((_, index) => index + 1),
    );
    assert.deepEqual(Histogram.of([3, 30]).cumulative([16]), [1]);
    for (const bounds of [[3], [4, 2], [0.5], [2, 2]])
      assert.throws(() => Histogram.of([3]).cumulative(bounds), RangeError, String(bounds));
  });

  it('is the same after it was stored', () => {
    fc.assert(
      fc.property(lengths, (samples) => {
        const histogram = Histogram.of(samples);
        const again = Histogram.decode(histogram.encode());
        assert.deepEqual(again, histogram);
        assert.deepEqual([...again.buckets], [...histogram.buckets]);
      }),
    );
    assert.equal(Histogram.EMPTY.encode(), null);
    // As it lies in databases: sum, longest, then for each bucket how many are skipped and what it holds.
    assert.equal(Histogram.of([12, 13, 180]).encode(), '5p.50.18:1.0:1.18:1');
  });

  it('is empty where what was stored cannot be one', () => {
    const sound = Histogram.of([10, 300]).encode()!;
    const wrong = [null, '', 'x', '{}', '1.2', '.1.0:1', `${sound}.`, `${sound}.0:0`, `${sound}.0:1`, `-${sound}`];
    for (const text of [
      ...wrong,
      sound.replace(/^[^.]+/, '1'),
      sound.replace(/:1/, ':zzzzzzzzzzzz'),
      'a'.repeat(20_000),
    ])
      assert.equal(Histogram.decode(text), Histogram.EMPTY, String(text));
    fc.assert(fc.property(fc.string(), (text) => assert.equal(Histogram.decode(text).count, 0)));
  });

  it('takes no nonsense: no numbers are left out, negative ones are 0, parts of a ms are rounded', () => {
    assert.deepEqual(Histogram.of([NaN, Infinity, -5, 2.4]), Histogram.of([0, 2]));
  });
});
