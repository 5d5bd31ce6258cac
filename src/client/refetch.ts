/**
 * Fetches something again each time it is asked for, never twice at once: what is asked for while a fetch is under way is one more fetch
 * afterwards, however often, so that the last result is never older than the last asking.
 */
export class Refetch {
  readonly #fetch: () => Promise<void>;
  #running: Promise<void> | null = null;
  #again = false;

  /** @param fetch rejects only with what the caller of `now` is to see. */
  constructor(fetch: () => Promise<void>) {
    this.#fetch = fetch;
  }

  /** Resolves when a fetch that began after this call is done. */
  now(): Promise<void> {
    if (this.#running === null) {
      this.#running = this.#run();
    } else {
      this.#again = true;
    }
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.#fetch();
      } while (this.#again);
    } finally {
      this.#running = null;
    }
  }
}
