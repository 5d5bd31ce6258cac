import type { Key } from '../../core/domain.ts';

/**
 * One change of a head at a time. Held only for work on the hub's own disk, never while waiting for a machine.
 */
export class KeyLock {
  readonly #tails = new Map<Key, Promise<void>>();

  /** Runs `task` when every earlier task for `key` has ended. Tasks must not take the lock of the same key again. */
  async with<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    let release: () => void = () => {};
    const tail = new Promise<void>((resolve) => (release = resolve));
    this.#tails.set(key, tail);
    await before;
    try {
      return await task();
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
      release();
    }
  }
}
