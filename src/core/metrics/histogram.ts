/** Buckets for each doubling. Half a bucket is then 2.93 %, and every power of two is an edge. */
const PER_DOUBLING = 12;
/** 2^40 ms are 34 years; what is longer is counted there. */
const LAST_BUCKET = 40 * PER_DOUBLING;
const ROOTS = Array.from({ length: PER_DOUBLING }, (_, index) => 2 ** (index / PER_DOUBLING));

/** Longest text that is looked at: what `encode` makes of a histogram with something in each bucket is shorter. */
const LONGEST_TEXT = 16_384;
const TEXT = /^[0-9a-z]+\.[0-9a-z]+(\.[0-9a-z]+:[0-9a-z]+)+$/;

/** Bounds in ms for which `cumulative` is exact: 1 ms to 70 min. */
export const BOUNDS_MS: readonly number[] = Array.from({ length: 23 }, (_, power) => 2 ** power);

/**
 * How long things took, as counts in buckets that grow geometrically: small, can be added up over any span, and good for percentiles within
 * 3 %. Lengths are whole ms. Immutable.
 */
export class Histogram {
  static readonly EMPTY = new Histogram(new Map(), 0, 0);

  /** Samples of each bucket that has any, by its number, ascending. */
  readonly buckets: ReadonlyMap<number, number>;
  readonly count: number;
  /** Of all samples, ms; exact. */
  readonly sum: number;
  /** Longest sample, ms; exact. 0 when there is none. */
  readonly max: number;

  private constructor(buckets: ReadonlyMap<number, number>, sum: number, max: number) {
    this.buckets = buckets;
    this.sum = sum;
    this.max = max;
    let count = 0;
    for (const samples of buckets.values()) count += samples;
    this.count = count;
  }

  /** @param samples ms, rounded to whole ones; negative ones count as 0, and what is no number not at all. */
  static of(samples: Iterable<number>): Histogram {
    return Histogram.EMPTY.add(samples);
  }

  /** What `encode` made; empty for `null` and for anything that it cannot have made. */
  static decode(text: string | null): Histogram {
    if (text === null || text.length > LONGEST_TEXT || !TEXT.test(text)) return Histogram.EMPTY;
    const [sum, max, ...entries] = text.split('.');
    const buckets = new Map<number, number>();
    let bucket = -1;
    for (const entry of entries) {
      const [gap = '', samples = ''] = entry.split(':');
      bucket += parseInt(gap, 36) + 1;
      buckets.set(bucket, parseInt(samples, 36));
    }
    const histogram = new Histogram(buckets, parseInt(sum ?? '', 36), parseInt(max ?? '', 36));
    return histogram.#isSound() ? histogram : Histogram.EMPTY;
  }

  /** Mean, ms; 0 when there is no sample. */
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  /** See `of`. */
  add(samples: Iterable<number>): Histogram {
    const buckets = new Map(this.buckets);
    let { sum, max } = this;
    for (const sample of samples) {
      if (!Number.isFinite(sample)) continue;
      const ms = Math.max(0, Math.round(sample));
      const bucket = bucketOf(ms);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      sum += ms;
      max = Math.max(max, ms);
    }
    return new Histogram(ascending(buckets), sum, max);
  }

  /** The samples of both. */
  merge(other: Histogram): Histogram {
    if (other.count === 0) return this;
    if (this.count === 0) return other;
    const buckets = new Map(this.buckets);
    for (const [bucket, samples] of other.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + samples);
    return new Histogram(ascending(buckets), this.sum + other.sum, Math.max(this.max, other.max));
  }

  /**
   * The shortest length that this share of the samples did not exceed (nearest rank), ms, within 3 %; 0 when there is no sample.
   * @param share 0 to 1.
   */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (const [bucket, samples] of this.buckets) {
      seen += samples;
      // The middle of a bucket is equally far from both of its edges.
      if (seen >= rank && rank < this.count) return Math.min(bucket === 0 ? 1 : edge(bucket - 0.5), this.max);
    }
    return this.max;
  }

  /**
   * For each bound how many samples were not longer, exactly.
   * @param bounds powers of two from 1, ms, ascending (`BOUNDS_MS`): others lie within a bucket.
   * @throws {RangeError} for other bounds.
   */
  cumulative(bounds: readonly number[]): number[] {
    const entries = [...this.buckets];
    let next = 0;
    let seen = 0;
    return bounds.map((bound, index) => {
      const bucket = bucketOf(bound);
      if (edge(bucket) !== bound || !Number.isInteger(Math.log2(bound)) || bound <= (bounds[index - 1] ?? 0))
        throw new RangeError(`counts up to ${bound} ms are not known exactly; bounds are ascending powers of two`);
      for (; next < entries.length && entries[next]![0] <= bucket; next += 1) seen += entries[next]![1];
      return seen;
    });
  }

  /** A short text that `decode` reads; `null` when there is no sample. */
  encode(): string | null {
    if (this.count === 0) return null;
    let last = -1;
    const entries = [...this.buckets].map(([bucket, samples]) => {
      const gap = bucket - last - 1;
      last = bucket;
      return `${gap.toString(36)}:${samples.toString(36)}`;
    });
    return [this.sum.toString(36), this.max.toString(36), ...entries].join('.');
  }

  #isSound(): boolean {
    const { buckets, count, sum, max } = this;
    if (![count, sum, max].every((number) => Number.isSafeInteger(number))) return false;
    let longest = -1;
    for (const [bucket, samples] of buckets) {
      if (samples < 1) return false;
      longest = bucket;
    }
    return longest === bucketOf(max) && sum >= max && sum <= count * max;
  }
}

/** Upper edge of a bucket, ms; of half a bucket: its middle. */
function edge(bucket: number): number {
  const doublings = Math.floor(bucket / PER_DOUBLING);
  const rest = bucket - doublings * PER_DOUBLING;
  return 2 ** doublings * (ROOTS[rest] ?? 2 ** (rest / PER_DOUBLING));
}

/** The first bucket holds what takes up to 1 ms; each later one what is above the edge of the one before, up to its own. */
function bucketOf(ms: number): number {
  if (ms <= 1) return 0;
  let bucket = Math.ceil(Math.log2(ms) * PER_DOUBLING);
  // The logarithm is rounded: at an edge it may lie on the wrong side.
  if (edge(bucket - 1) >= ms) bucket -= 1;
  else if (edge(bucket) < ms) bucket += 1;
  return Math.min(bucket, LAST_BUCKET);
}

function ascending(buckets: ReadonlyMap<number, number>): ReadonlyMap<number, number> {
  return new Map([...buckets].sort(([a], [b]) => a - b));
}
