import type { FileStat, Head, Key, Pair, UnixMs, VersionReason } from '../../../core/domain.ts';
import type { Staged } from '../../archive/archive.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { absentBase, fileBase, withTrustedTime } from './base.ts';
import type { SeenFile } from './sight.ts';
import { ForgottenMeanwhile } from '../logs/heads.ts';
import { keepVersion } from '../keep-version.ts';

/** Changes to the heads of everything but logs, and what is kept of the contents that they replace. `install` needs the key's lock. */
export class FileHeads {
  readonly #ctx: EngineContext;

  constructor(ctx: EngineContext) {
    this.#ctx = ctx;
  }

  /** Staged content becomes the head. @throws {ForgottenMeanwhile} */
  async install(machine: MachineView, key: Key, staged: Staged, mtimeMs: UnixMs, executable: boolean): Promise<Head> {
    const { store, archive, clock } = this.#ctx;
    if (this.#ctx.isForgotten(key)) throw new ForgottenMeanwhile(key);
    await archive.install(key, staged, executable);
    const head: Head = {
      key,
      seq: store.nextSeq(),
      kind: 'file',
      size: staged.bytes,
      hash: staged.sha256,
      mtimeMs: Math.min(mtimeMs, clock.now()),
      executable,
      origin: machine.name,
    };
    this.#ctx.newGeneration(key);
    store.heads.put(head);
    this.#ctx.noteHeadSeen(key, clock.now());
    return head;
  }

  /** The head as it is now is kept as a version. */
  async keepHead(head: Head, reason: VersionReason): Promise<void> {
    if (head.kind !== 'file') return;
    await keepVersion(this.#ctx, this.#ctx.archive.read(head.key, 0, head.size), {
      key: head.key,
      machine: head.origin,
      reason,
      executable: head.executable,
      mtimeMs: head.mtimeMs,
    });
  }

  /** What was read from a machine is kept as a version. */
  async keepStaged(
    machine: MachineView,
    key: Key,
    staged: Staged,
    stat: FileStat,
    reason: VersionReason,
  ): Promise<void> {
    await keepVersion(this.#ctx, this.#ctx.archive.readStaged(staged, 0, staged.bytes), {
      key,
      machine: machine.name,
      reason,
      executable: stat.executable,
      mtimeMs: stat.mtimeMs,
    });
  }

  /** What was seen of the copy is its base from here on, level with the head of number `seq`. */
  saveSeen(machine: MachineView, pair: Pair, seen: SeenFile, seq: number): void {
    const { observed, stat } = seen;
    if (observed.kind === 'absent') this.#ctx.store.pairs.put({ ...pair, base: absentBase(seq), evictedSeq: null });
    if (observed.kind !== 'file' || stat === null) return;
    this.#ctx.store.pairs.put({
      ...pair,
      base: fileBase(
        withTrustedTime(this.#ctx.clock, machine, pair.key, stat),
        seq,
        observed.hash,
        observed.executable,
      ),
      evictedSeq: null,
    });
  }

  /** A line of the sync log. */
  log(
    machine: MachineView,
    key: Key,
    action: 'commit' | 'merge' | 'conflict' | 'evict',
    bytes: number,
    detail: string | null,
  ): void {
    this.#ctx.logged({
      key,
      source: machine.name,
      target: null,
      action,
      outcome: 'done',
      bytes,
      durationMs: 0,
      detail,
    });
  }
}
