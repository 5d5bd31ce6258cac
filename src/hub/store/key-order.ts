import type { Key } from '../../core/domain.ts';

/** Keys in code unit order, so that all keys below a prefix are found without looking at the others. */
export class KeyOrder {
  readonly #keys: Key[];

  constructor(keys: Iterable<Key>) {
    this.#keys = [...keys].sort(byCodeUnit);
  }

  /** `key` must not be there yet. */
  add(key: Key): void {
    this.#keys.splice(this.#position(key), 0, key);
  }

  remove(key: Key): void {
    const position = this.#position(key);
    if (this.#keys[position] === key) this.#keys.splice(position, 1);
  }

  /** All keys that begin with `prefix`, in order. */
  withPrefix(prefix: string): Key[] {
    const first = this.#position(prefix);
    let end = first;
    while (end < this.#keys.length && this.#keys[end]!.startsWith(prefix)) end++;
    return this.#keys.slice(first, end);
  }

  /** Index of the first key that is not smaller. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
