import type { UnixMs } from '../../core/domain.ts';

/** For how long a machine was online, exact to the moments at which that changed. */
export class OnlineTime {
  /** `null` until it was heard of. */
  #isOnline: boolean | null = null;
  #since: UnixMs = 0;
  #ms = 0;

  /** It is online, or not, from `now` on. */
  change(isOnline: boolean, now: UnixMs): void {
    if (this.#isOnline === true) this.#ms += Math.max(0, now - this.#since);
    this.#isOnline = isOnline;
    this.#since = now;
  }

  /**
   * @param span what the answer is about: since the last call, or the beginning.
   * @returns ms since then. Of a machine that nothing was heard of before, all of the span or nothing, as it is now.
   */
  take(isOnline: boolean, { from, now }: { readonly from: UnixMs; readonly now: UnixMs }): number {
    const wasKnown = this.#isOnline !== null;
    this.change(isOnline, now);
    const ms = wasKnown ? this.#ms : isOnline ? Math.max(0, now - from) : 0;
    this.#ms = 0;
    return ms;
  }
}
