import type { UnixMs } from '../../core/domain.ts';

/** Whole seconds that a rate is the mean of. */
const SECONDS = 10;

/** How much there was in each of the last seconds. */
export class RateWindow {
  readonly #seconds: { second: number; amount: number }[] = [];

  add(amount: number, now: UnixMs): void {
    const second = Math.floor(now / 1_000);
    const place = second % SECONDS;
    const there = this.#seconds[place];
    if (there?.second === second) there.amount += amount;
    else this.#seconds[place] = { second, amount };
  }

  /** A second, over the last 10 s, the running one among them. */
  perSecond(now: UnixMs): number {
    const second = Math.floor(now / 1_000);
    let sum = 0;
    // A clock that was put back leaves seconds of the future, which are not of now.
    for (const one of this.#seconds)
      if (one !== undefined && one.second > second - SECONDS && one.second <= second) sum += one.amount;
    return sum / SECONDS;
  }
}
