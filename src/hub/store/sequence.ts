import type { Settings } from './settings-table.ts';
import { StoreUnwritable } from './store.ts';
import type { WriteQueue } from './write-queue.ts';

/** Name of the setting below which (inclusive) every number counts as given. */
export const SEQUENCE_SETTING = 'store.seq';

/** Numbers reserved ahead. Many, because running out of them between two commits has to be impossible in practice. */
export const SEQUENCE_BLOCK = 100_000;

/**
 * The hub's sequence numbers. Numbers up to a ceiling are durably reserved before any of them is given, so none is given twice,
 * whatever crashed. A crash skips what was reserved; a clean close gives it back.
 */
export class Sequence {
  readonly #queue: WriteQueue;
  readonly #settings: Settings;
  #last: number;
  #ceiling: number;
  /** The next block, and the commit group that reserves it. */
  #asked: { readonly ceiling: number; readonly group: number } | null = null;

  /** @param last the last number that may have been given; `SEQUENCE_BLOCK` more are durably reserved already. */
  constructor(last: number, queue: WriteQueue, settings: Settings) {
    this.#last = last;
    this.#ceiling = last + SEQUENCE_BLOCK;
    this.#queue = queue;
    this.#settings = settings;
  }

  /** @throws {StoreUnwritable} when all reserved numbers are given and no commit has succeeded for a whole block. */
  next(): number {
    if (this.#asked !== null && this.#queue.committed >= this.#asked.group) {
      this.#ceiling = this.#asked.ceiling;
      this.#asked = null;
    }
    if (this.#asked === null && this.#ceiling - this.#last <= SEQUENCE_BLOCK / 2) {
      const ceiling = this.#ceiling + SEQUENCE_BLOCK;
      this.#queue.wantDurable();
      this.#asked = { ceiling, group: this.#settings.set(SEQUENCE_SETTING, String(ceiling)) };
    }
    if (this.#last >= this.#ceiling) throw new StoreUnwritable('no sequence numbers are left that are safe to give');
    return ++this.#last;
  }

  /** Gives back what was reserved; no number is given after this. */
  close(): void {
    this.#ceiling = this.#last;
    this.#asked = { ceiling: this.#last, group: Infinity };
    this.#settings.set(SEQUENCE_SETTING, String(this.#last));
  }
}
