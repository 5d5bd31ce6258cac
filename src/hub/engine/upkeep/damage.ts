import type { Key, UnixMs } from '../../../core/domain.ts';
import type { Store } from '../../store/store.ts';

const DAMAGED = 'comparison.damaged';

/** A head whose file in the archive is not what was written there. */
export interface DamagedHead {
  readonly key: Key;
  readonly at: UnixMs;
  /** What is wrong, for the user. */
  readonly what: string;
}

/**
 * Heads that the disk of the hub damaged and that no machine could mend yet. Conversations among them go nowhere, for they are passed
 * on piece by piece; other files are checked as a whole before they are passed on anyway. Survives a restart.
 */
export class Damage {
  readonly #store: Store;
  readonly #heads: Map<Key, DamagedHead>;

  constructor(store: Store) {
    this.#store = store;
    const text = store.getSetting(DAMAGED);
    const known = text === null ? [] : (JSON.parse(text) as DamagedHead[]);
    this.#heads = new Map(known.map((head) => [head.key, head]));
  }

  /** Whether the head of a key must not be relied on. */
  has(key: Key): boolean {
    return this.#heads.size > 0 && this.#heads.has(key);
  }

  note(head: DamagedHead): void {
    this.#heads.set(head.key, head);
    this.#save();
  }

  /** @returns whether it was damaged. */
  clear(key: Key): boolean {
    if (!this.#heads.delete(key)) return false;
    this.#save();
    return true;
  }

  values(): DamagedHead[] {
    return [...this.#heads.values()];
  }

  #save(): void {
    this.#store.setSetting(DAMAGED, JSON.stringify(this.values()));
  }
}
