/** Shares an amount of memory among tasks that each hold some of it for a while; those that find none left wait, first come first served. */
export class ByteBudget {
  #left: number;
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];

  /** @param bytes all there is. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Runs `task` while it holds `bytes`, which must not be more than there is. */
  async holding<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    if (this.#waiting.length > 0 || bytes > this.#left)
      await new Promise<void>((resolve) => this.#waiting.push({ bytes, begin: resolve }));
    else this.#left -= bytes;
    try {
      return await task();
    } finally {
      this.#left += bytes;
      this.#next();
    }
  }

  #next(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#left; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= next.bytes;
      next.begin();
    }
  }
}
