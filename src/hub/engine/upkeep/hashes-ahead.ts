import type { Base, Key, MachineName, Sha256 } from '../../../core/domain.ts';
import type { EngineContext, MachineView } from '../context.ts';

/** Files that a machine hashes with one command. */
const FILES_AT_ONCE = 500;
/** Bytes that it hashes with one: the work there is not to be noticed. */
const BYTES_AT_ONCE = 256 * 1024 * 1024;

/**
 * Hashes of copies, made where they lie, for one comparison of all contents: over a network reading everything every six hours would be
 * most of the traffic. A machine is asked for many files at once, in the order in which the comparison comes to them.
 */
export class HashesAhead {
  readonly #ctx: EngineContext;
  /** In the order of the comparison. */
  readonly #keys: readonly Key[];
  readonly #places = new Map<Key, number>();
  readonly #known = new Map<MachineName, Map<Key, { readonly base: Base; readonly hash: Sha256 | null }>>();
  /** Machines that cannot hash. */
  readonly #unable = new Set<MachineName>();

  constructor(ctx: EngineContext, keys: readonly Key[]) {
    this.#ctx = ctx;
    this.#keys = keys;
    for (const [place, key] of keys.entries()) this.#places.set(key, place);
  }

  /**
   * SHA-256 of the whole copy that `base` was verified for, `null` where it is not known. The copy may have changed since it was hashed;
   * whoever asks looks whether it did. @throws {ReplicaUnreachable}
   */
  async of(machine: MachineView, key: Key, base: Base): Promise<Sha256 | null> {
    if (machine.replica.hashes === undefined || this.#unable.has(machine.name)) return null;
    const found = this.#known.get(machine.name)?.get(key) ?? (await this.#ask(machine, key));
    return found?.base === base ? found.hash : null;
  }

  async #ask(machine: MachineView, first: Key): Promise<{ readonly base: Base; readonly hash: Sha256 | null } | null> {
    const asked: { readonly key: Key; readonly path: string; readonly base: Base }[] = [];
    let bytes = 0;
    for (let at = this.#places.get(first) ?? Infinity; at < this.#keys.length; at += 1) {
      const key = this.#keys[at] ?? first;
      const pair = this.#ctx.store.pairs.get(machine.name, key);
      if (pair?.base?.kind !== 'file') continue;
      asked.push({ key, path: pair.path, base: pair.base });
      bytes += pair.base.fileBytes;
      if (asked.length >= FILES_AT_ONCE || bytes >= BYTES_AT_ONCE) break;
    }
    const hashes = (await machine.replica.hashes?.(asked.map(({ path }) => path))) ?? null;
    if (hashes === null) {
      this.#unable.add(machine.name);
      return null;
    }
    // Those before it have been compared.
    const known = new Map(asked.map(({ key, path, base }) => [key, { base, hash: hashes.get(path) ?? null }]));
    this.#known.set(machine.name, known);
    return known.get(first) ?? null;
  }
}
