import type { Head, Pair, Sha256 } from '../../../core/domain.ts';
import { ArchiveDamaged, type Staged } from '../../archive/archive.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { ReplicaUnreachable } from '../../replica/replica.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { isUnchanged } from '../files/base.ts';
import { FileView } from '../files/view.ts';
import type { DamagedRange } from './head-check.ts';
import { isPrefix } from '../logs/cursor.ts';

/**
 * Puts right what the hub's disk did to the file of a head, from a kept version or from a machine whose copy has exactly the bytes
 * that are missing. What is put in place is hashed first; the head itself (its number, its size) does not change.
 */
export class HeadHeal {
  readonly #ctx: EngineContext;
  readonly #view: FileView;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
    this.#view = new FileView(ctx);
  }

  /** @returns where the bytes came from; `null` when nobody has them. */
  async document(head: Head): Promise<string | null> {
    const hash = head.hash;
    if (hash === null) return null;
    const kept = await this.#fromVersion(hash);
    if (kept !== null && (await this.#install(head, kept))) return 'a kept version';
    for (const machine of this.#ctx.machines()) {
      const pair = this.#ctx.store.pairs.get(machine.name, head.key);
      if (pair?.base?.hash !== hash) continue;
      const staged = await this.#fromMachine(machine, pair, async (size) => {
        const view = await this.#view.stage(machine, pair, this.#ctx.rules.ofKey(head.key), size);
        return 'unreadable' in view ? null : view;
      });
      if (staged !== null && (await this.#install(head, staged))) return machine.name;
    }
    return null;
  }

  async #fromVersion(hash: Sha256): Promise<Staged | null> {
    const { archive } = this.#ctx;
    try {
      return (await archive.holds(hash)) ? await archive.stage(archive.readVersion(hash)) : null;
    } catch (error) {
      // The same disk may have damaged both.
      if (error instanceof ArchiveDamaged || FileSystemError.is(error, 'io')) return null;
      throw error;
    }
  }

  async #install(head: Head, staged: Staged): Promise<boolean> {
    const { archive, lock, store } = this.#ctx;
    return lock.with(head.key, async () => {
      if (staged.sha256 !== head.hash || store.heads.get(head.key)?.seq !== head.seq) {
        await archive.discard(staged);
        return false;
      }
      await archive.install(head.key, staged, head.executable);
      return true;
    });
  }

  /** @returns where the bytes came from; `null` when some of them were found nowhere. */
  async log(head: Head, ranges: readonly DamagedRange[]): Promise<string | null> {
    const { archive } = this.#ctx;
    if (ranges.length === 0) return null;
    const found: { readonly staged: Staged; readonly from: number; readonly to: number }[] = [];
    const names = new Set<string>();
    try {
      for (const damaged of ranges) {
        const part = await this.#part(head, damaged);
        if (part === null) return null;
        names.add(part.machine);
        found.push({ staged: part.staged, from: damaged.range[0], to: damaged.range[1] });
      }
      await this.#mend(head, found);
      return [...names].join(', ');
    } finally {
      for (const { staged } of found) await archive.discard(staged);
    }
  }

  /**
   * A conversation of whose bytes nothing was compared yet (it is younger than the last comparison): as a machine has it, whose copy was
   * verified as the whole head or more and did not change since.
   * @returns where the bytes came from; `null` when nobody has them.
   */
  async wholeLog(head: Head): Promise<string | null> {
    const { archive, lock, store } = this.#ctx;
    for (const machine of this.#ctx.machines()) {
      const pair = store.pairs.get(machine.name, head.key);
      const { base } = pair ?? {};
      if (!pair || !base?.cursor || !isPrefix(base.cursor) || base.cursor.lineBytes < head.size) continue;
      const staged = await this.#fromMachine(machine, pair, async () => {
        const look = await machine.replica.look(pair.path);
        if (look.kind !== 'file' || !isUnchanged(base, look.stat)) return null;
        return archive.stage(machine.replica.read(pair.path, 0, head.size));
      });
      if (staged === null) continue;
      const isDone = await lock.with(head.key, async () => {
        if (staged.bytes !== head.size || store.heads.get(head.key)?.seq !== head.seq) return false;
        await archive.install(head.key, staged, head.executable);
        return true;
      });
      if (isDone) return machine.name;
      await archive.discard(staged);
    }
    return null;
  }

  /** One damaged part as a machine has it, whose copy begins with the same lines as the head. */
  async #part(head: Head, { range, sha256 }: DamagedRange): Promise<{ staged: Staged; machine: string } | null> {
    const { archive, store } = this.#ctx;
    const [from, to] = range;
    for (const machine of this.#ctx.machines()) {
      const pair = store.pairs.get(machine.name, head.key);
      const cursor = pair?.base?.cursor;
      if (!pair || !cursor || !isPrefix(cursor) || cursor.lineBytes < to) continue;
      const staged = await this.#fromMachine(machine, pair, () =>
        archive.stage(machine.replica.read(pair.path, from, to)),
      );
      if (staged?.sha256 === sha256) return { staged, machine: machine.name };
      if (staged !== null) await archive.discard(staged);
    }
    return null;
  }

  async #mend(
    head: Head,
    parts: readonly { readonly staged: Staged; readonly from: number; readonly to: number }[],
  ): Promise<void> {
    const { archive, lock, store } = this.#ctx;
    await lock.with(head.key, async () => {
      const now = store.heads.get(head.key);
      if (now?.kind !== 'file' || now.size < head.size) return;
      async function* content(): AsyncGenerator<Buffer> {
        let at = 0;
        for (const { staged, from, to } of parts) {
          if (from > at) yield* archive.read(head.key, at, from);
          yield* archive.readStaged(staged, 0, staged.bytes);
          at = to;
        }
        if (at < (now?.size ?? 0)) yield* archive.read(head.key, at, now?.size ?? 0);
      }
      await archive.install(head.key, await archive.stage(content()), head.executable);
    });
  }

  /** Reads from a machine whose copy is as it was verified; `null` when it cannot be had from there. */
  async #fromMachine(
    machine: MachineView,
    pair: Pair,
    read: (size: number) => Promise<Staged | null>,
  ): Promise<Staged | null> {
    if (!machine.writable || pair.base?.kind !== 'file') return null;
    try {
      const look = await machine.replica.look(pair.path);
      // A copy that only grew has the same beginning; its hash decides.
      if (look.kind !== 'file' || (pair.base.cursor === null && !isUnchanged(pair.base, look.stat))) return null;
      return await read(look.stat.size);
    } catch (error) {
      // Another machine may have it; this one is looked at again in the ordinary way.
      if (error instanceof ReplicaUnreachable || FileSystemError.is(error, 'missing', 'denied', 'io', 'not-a-file'))
        return null;
      throw error;
    }
  }
}
