import type { Head, Key, Pair } from '../../../core/domain.ts';
import type { CreateRequest, WriteOutcome } from '../../replica/replica.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { fileBase, withTrustedTime } from '../files/base.ts';
import { baseOf, hashTail, isPrefix, prefixCursor, tailStart } from '../logs/cursor.ts';
import { collect } from '../excerpt.ts';
import type { Placement } from '../places/placement.ts';

/** A head on its way to a machine that has no copy of it. */
interface NewCopy {
  readonly head: Head;
  readonly path: string;
  readonly isLog: boolean;
  /** The head's generation when its content was asked for. */
  readonly generation: number;
}

/**
 * Brings many heads to a machine that has nothing of them yet, together. Each file is created as a single one is (docs/sync.md
 * section 7); what turns out to be anything but a plain create is left for the flow of that key.
 */
export class NewCopies {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;

  constructor(ctx: EngineContext, placement: Placement) {
    this.#ctx = ctx;
    this.#placement = placement;
  }

  /** @returns the keys that are not done. @throws {ReplicaUnreachable} */
  async create(machine: MachineView, keys: readonly Key[], waiting: number): Promise<Key[]> {
    const placed: { readonly key: Key; readonly path: string }[] = [];
    const left: Key[] = [];
    for (const key of keys) {
      const place = await this.#placement.placeFor(machine, key);
      if ('held' in place) left.push(key);
      else placed.push({ key, path: place.path });
    }
    // A new document that a crash makes the hub forget would come back from here as this machine's own, against its origin's.
    if (placed.some(({ key }) => this.#ctx.rules.ofKey(key).class === 'document')) await this.#ctx.store.flush();
    const copies = placed.flatMap(({ key, path }) => {
      const copy = this.#newCopy(machine, key, path);
      if (copy === null) left.push(key);
      return copy ?? [];
    });
    const paths = new Set(copies.map((copy) => copy.path));
    machine.beginWriting(paths);
    try {
      const outcomes = await machine.replica.createMany(
        copies.map((copy) => this.#request(machine, copy)),
        waiting,
      );
      for (const [index, copy] of copies.entries()) {
        if (!(await this.#save(machine, copy, outcomes[index]))) left.push(copy.head.key);
      }
    } finally {
      machine.endWriting(paths);
    }
    return left;
  }

  /** `null` when it is not a head without a copy any more. */
  #newCopy(machine: MachineView, key: Key, path: string): NewCopy | null {
    const head = this.#ctx.store.heads.get(key);
    if (head?.kind !== 'file' || this.#ctx.store.pairs.get(machine.name, key) !== undefined) return null;
    if (this.#ctx.isForgotten(key) || this.#ctx.isDamaged(key)) return null;
    return { head, path, isLog: this.#ctx.rules.ofKey(key).merge === 'log', generation: this.#ctx.generation(key) };
  }

  #request(machine: MachineView, { head, path, isLog }: NewCopy): CreateRequest {
    const { archive, clock } = this.#ctx;
    return {
      path,
      content: () => archive.read(head.key, 0, head.size),
      source: archive.localPath(head.key),
      size: head.size,
      sha256: head.hash,
      mtimeMs: Math.min(head.mtimeMs, clock.now()) + machine.clockOffsetMs,
      executable: !isLog && head.executable,
    };
  }

  /** @returns whether the copy is level with the head as it is now. */
  async #save(machine: MachineView, copy: NewCopy, outcome: WriteOutcome | undefined): Promise<boolean> {
    const { store } = this.#ctx;
    const { head, path, isLog, generation } = copy;
    if (outcome?.kind !== 'done') return false;
    const tailHash = isLog ? await this.#tailHash(head) : null;
    const pair: Pair = store.pairs.get(machine.name, head.key) ?? {
      machine: machine.name,
      key: head.key,
      path,
      base: null,
      evictedSeq: null,
      state: 'ok',
      reason: null,
    };
    const isValid = !isLog || this.#ctx.generation(head.key) === generation;
    const base =
      tailHash === null
        ? // What was put there is this head's content to the byte, also when another one took its place meanwhile.
          fileBase(
            withTrustedTime(this.#ctx.clock, machine, head.key, outcome.stat),
            head.seq,
            head.hash,
            head.executable,
          )
        : baseOf(outcome.stat, outcome.stat.size, head.seq, { ...prefixCursor(head.size), tailHash });
    store.pairs.put({ ...pair, path, evictedSeq: null, base: isValid ? base : null });
    machine.heldKeys.delete(head.key);
    machine.noteDelivered({ key: head.key, bytes: head.size, isWhole: true });
    return isValid && store.heads.get(head.key)?.seq === head.seq;
  }

  /** Hash of the head's last bytes: of the copy that the head came from, where that is known. */
  async #tailHash(head: Head): Promise<string> {
    const cursor = this.#ctx.store.pairs.get(head.origin, head.key)?.base?.cursor;
    if (cursor?.tailHash && isPrefix(cursor) && cursor.lineBytes === head.size) return cursor.tailHash;
    return hashTail(await collect(this.#ctx.archive.read(head.key, tailStart(head.size), head.size)));
  }
}
