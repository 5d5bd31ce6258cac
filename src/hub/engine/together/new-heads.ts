import type { FileStat, Head, Key, MachineName, Pair } from '../../../core/domain.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import type { Fetched } from '../../replica/replica.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { fileBase, withTrustedTime } from '../files/base.ts';
import { baseOf, hashTail, prefixCursor } from '../logs/cursor.ts';
import type { Placement } from '../places/placement.ts';

/** A document that changed within this time may be in the middle of being written: its own flow watches it (`FileCopy`). */
const SETTLED_MS = 3_000;

/**
 * Takes in many files of a machine that the hub has nothing of yet, together: each becomes the first head of its key. What turns out
 * to be anything but that (a file in motion, a torn log, a head that came meanwhile) is left for the flow of that key.
 */
export class NewHeads {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;
  /** Heads are made in the order in which the files were found: transcripts come first, and tell where their sidecars belong. */
  readonly #turns = new Map<MachineName, Promise<void>>();

  constructor(ctx: EngineContext, placement: Placement) {
    this.#ctx = ctx;
    this.#placement = placement;
  }

  /** @returns the keys that are not done. @throws {ReplicaUnreachable} */
  async take(machine: MachineView, keys: readonly Key[], waiting: number): Promise<Key[]> {
    const { archive, store } = this.#ctx;
    const pairs = keys.flatMap((key) => store.pairs.get(machine.name, key) ?? []);
    const before = this.#turns.get(machine.name);
    let done = (): void => undefined;
    this.#turns.set(machine.name, new Promise((resolve) => (done = resolve)));
    try {
      const fetched = await machine.replica.fetchMany(
        pairs.map(({ key, path }) => ({
          path,
          isTranscript: this.#ctx.rules.ofKey(key).class === 'transcript',
          destination: archive.localPath(key),
        })),
        archive.intake,
        waiting,
      );
      await before;
      const taken = await Promise.allSettled(
        pairs.map((pair, index) => this.#takeOne(machine, pair, fetched[index] ?? null)),
      );
      const made = new Set(
        taken.flatMap((one) => (one.status === 'fulfilled' && one.value !== null ? [one.value] : [])),
      );
      // Told also when one of them failed: the others have to hear of the heads that were made.
      this.#ctx.headsChanged([...made], machine.name);
      const failed = taken.find((one) => one.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return keys.filter((key) => !made.has(key));
    } finally {
      await before;
      done();
    }
  }

  /** @returns the key when its head was made. */
  async #takeOne(machine: MachineView, pair: Pair, fetched: Fetched | null): Promise<Key | null> {
    const { archive, lock } = this.#ctx;
    if (fetched === null) return null;
    try {
      const isTaken = await lock.with(pair.key, () => this.#install(machine, pair, fetched));
      if (isTaken) return pair.key;
    } catch (error) {
      // The hub's disk is full, say: the key's own flow meets that too, and says so.
      if (!FileSystemError.is(error)) throw error;
    }
    await archive.discard(fetched.staged);
    return null;
  }

  async #install(machine: MachineView, pair: Pair, fetched: Fetched): Promise<boolean> {
    const { archive } = this.#ctx;
    if (!this.#isPlain(machine, pair, fetched)) return false;
    // Nothing is destroyed by a first head, so it need not be on stable storage yet (docs/sync.md section 2).
    const executable = this.#executable(machine, pair, fetched.stat);
    await archive.install(pair.key, fetched.staged, executable, { durable: false, hasFolder: fetched.hasFolder });
    // Forgotten while it was put into the archive: with a head it would come back.
    if (this.#ctx.isForgotten(pair.key)) {
      await archive.remove(pair.key);
      return false;
    }
    this.#commit(machine, pair, fetched);
    return true;
  }

  /** Whether it is a whole, quiet file of a key that nobody has made a head of meanwhile. */
  #isPlain(machine: MachineView, pair: Pair, { stat, facts }: Fetched): boolean {
    const { store, clock } = this.#ctx;
    const now = store.pairs.get(machine.name, pair.key);
    if (store.heads.get(pair.key) !== undefined || this.#ctx.isForgotten(pair.key)) return false;
    if (now === undefined || now.base !== null || now.evictedSeq !== null || now.path !== pair.path) return false;
    if (this.#isLog(pair.key)) return facts.bytes > 0 && facts.endsInNewline;
    return machine.pairing || clock.now() - (stat.mtimeMs - machine.clockOffsetMs) > SETTLED_MS;
  }

  #commit(machine: MachineView, pair: Pair, { stat, facts, staged, folders }: Fetched): void {
    const { store, clock } = this.#ctx;
    const isLog = this.#isLog(pair.key);
    const now = clock.now();
    const executable = this.#executable(machine, pair, stat);
    const head: Head = {
      key: pair.key,
      seq: store.nextSeq(),
      kind: 'file',
      size: facts.bytes,
      hash: isLog ? null : staged.sha256,
      mtimeMs: Math.min(stat.mtimeMs - machine.clockOffsetMs, now),
      executable,
      origin: machine.name,
    };
    const base = isLog
      ? baseOf(stat, facts.bytes, head.seq, { ...prefixCursor(facts.bytes), tailHash: hashTail(facts.tail) })
      : fileBase(withTrustedTime(clock, machine, pair.key, stat), head.seq, head.hash, stat.executable);
    if (folders !== null) this.#placement.noteRecorded(pair.key, facts.bytes, folders);
    if (isLog) machine.noteChange(pair.key);
    else this.#ctx.newGeneration(pair.key);
    store.heads.put(head);
    store.pairs.put({ ...pair, base, evictedSeq: null, state: 'ok', reason: null });
    machine.noteReceived(facts.bytes);
    machine.notices.delete(pair.path);
    machine.heldKeys.delete(pair.key);
    this.#ctx.noteHeadSeen(pair.key, now);
    this.#ctx.logged({
      key: pair.key,
      source: machine.name,
      target: null,
      action: 'commit',
      outcome: 'done',
      bytes: facts.bytes,
      durationMs: 0,
      detail: null,
    });
  }

  /** A machine whose files have no executable bit says nothing about it. */
  #executable(machine: MachineView, pair: Pair, stat: FileStat): boolean {
    return !this.#isLog(pair.key) && machine.os !== 'windows' && stat.executable;
  }

  #isLog(key: Key): boolean {
    return this.#ctx.rules.ofKey(key).merge === 'log';
  }
}
