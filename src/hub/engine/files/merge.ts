import { isMergeableText, mergeText } from '../../../core/document/merge-text.ts';
import { chooseWinner } from '../../../core/plan/choose-winner.ts';
import { executableOf } from '../../../core/plan/plan.ts';
import { mergeSettings } from '../../../core/settings/merge-settings.ts';
import type { FileStat, Head, Key, Pair, Sha256 } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import type { Staged } from '../../archive/archive.ts';
import type { ConflictRow } from '../../store/store.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { collect, once } from '../excerpt.ts';
import { askForApproval } from './approval.ts';
import { readAgain } from './base.ts';
import type { FileHeads } from './heads.ts';
import type { SeenFile } from './sight.ts';
import { LEVEL, LOOK, type Outcome } from '../outcome.ts';

/** Two contents for one key, neither of them a log: merged, decided, or left to the user; whatever loses is kept. */
export class FileMerge {
  readonly #ctx: EngineContext;
  readonly #heads: FileHeads;

  constructor(ctx: EngineContext, heads: FileHeads) {
    this.#ctx = ctx;
    this.#heads = heads;
  }

  /** Both moved away from the base: merged where that can be done, else decided as configured. */
  async merge(
    machine: MachineView,
    pair: Pair,
    rule: Rule,
    seen: SeenFile,
    head: Head | undefined,
    input: Parameters<typeof executableOf>[0],
  ): Promise<Outcome> {
    const { archive, store, lock } = this.#ctx;
    const { observed, stat, staged } = seen;
    if (observed.kind !== 'file' || stat === null || head?.kind !== 'file') return LOOK;
    if (staged === null) return readAgain(this.#ctx, machine, pair);
    if (rule.executableContent && machine.settings.trust === 'data')
      return askForApproval(this.#ctx, machine, pair, seen, staged);
    return lock.with(pair.key, async () => {
      if (store.heads.get(pair.key)?.seq !== head.seq) return LOOK;
      const merged = await this.#mergedContent(pair, rule, head, staged, stat, machine);
      if (merged === null) return this.#decide(machine, pair, seen, staged, stat, head, input);
      await this.#heads.keepHead(head, 'merged');
      await this.#heads.keepStaged(machine, pair.key, staged, stat, 'merged');
      const result = await archive.stage(once(merged));
      await this.#heads.install(
        machine,
        pair.key,
        result,
        Math.max(head.mtimeMs, stat.mtimeMs - machine.clockOffsetMs),
        executableOf(input, observed),
      );
      // The machine's own content is its base now: it gets the merged one as any machine that is behind.
      this.#heads.saveSeen(machine, pair, seen, 0);
      this.#heads.log(machine, pair.key, 'merge', merged.length, null);
      this.#ctx.headChanged(pair.key, null);
      return LOOK;
    });
  }

  async #mergedContent(
    pair: Pair,
    rule: Rule,
    head: Head,
    staged: Staged,
    stat: FileStat,
    machine: MachineView,
  ): Promise<Buffer | null> {
    const { archive } = this.#ctx;
    const baseHash = pair.base?.hash ?? null;
    if (rule.merge === 'lww' || Math.max(head.size, staged.bytes) > 1024 * 1024) return null;
    const base = await this.#contentOf(baseHash);
    const ours = await collect(archive.read(pair.key, 0, head.size));
    const theirs = await collect(archive.readStaged(staged, 0, staged.bytes));
    if (rule.merge === 'keys') {
      const headIsNewer = this.#headWins(head, staged.sha256, stat, machine);
      const merged = headIsNewer ? mergeSettings(base, theirs, ours) : mergeSettings(base, ours, theirs);
      return merged.content;
    }
    if (base === null || !isMergeableText(pair.key, base, ours, theirs)) return null;
    const merged = mergeText(base, ours, theirs);
    return merged.kind === 'merged' ? merged.content : null;
  }

  /** Nothing can be merged: the configured strategy decides, the loser is kept, and one command reverses it. */
  async #decide(
    machine: MachineView,
    pair: Pair,
    seen: SeenFile,
    staged: Staged,
    stat: FileStat,
    head: Head,
    input: Parameters<typeof executableOf>[0],
  ): Promise<Outcome> {
    const { store, clock } = this.#ctx;
    if (this.#strategy(pair.key) === 'manual') return this.conflictForUser(machine, pair, seen, head, 'manual');
    const headWins = this.#headWins(head, staged.sha256, stat, machine);
    const keep = this.#ctx.guards.on('keep-loser');
    const winner = headWins ? head.origin : machine.name;
    if (keep) await this.#heads.keepStaged(machine, pair.key, staged, stat, headWins ? 'lost-conflict' : 'overwritten');
    if (keep) await this.#heads.keepHead(head, headWins ? 'overwritten' : 'lost-conflict');
    const conflict = store.conflicts.add({
      key: pair.key,
      at: clock.now(),
      status: 'resolved',
      baseSha256: pair.base?.hash ?? null,
      sides: [
        { machine: head.origin, sha256: head.hash, bytes: head.size, mtimeMs: head.mtimeMs },
        { machine: machine.name, sha256: staged.sha256, bytes: staged.bytes, mtimeMs: stat.mtimeMs },
      ],
      strategy: 'last-write-wins',
      winner,
      resolvedAt: clock.now(),
      resolution: `keep ${winner}`,
    });
    this.#ctx.tell({ kind: 'conflict', machine: machine.name, conflict });
    this.#heads.log(machine, pair.key, 'conflict', staged.bytes, `last write wins: ${winner}`);
    if (headWins) {
      this.#heads.saveSeen(machine, pair, seen, 0);
      return LOOK;
    }
    const observed = seen.observed.kind === 'file' ? seen.observed : { executable: stat.executable };
    const made = await this.#heads.install(
      machine,
      pair.key,
      staged,
      stat.mtimeMs - machine.clockOffsetMs,
      executableOf(input, observed),
    );
    this.#heads.saveSeen(machine, pair, seen, made.seq);
    this.#ctx.headChanged(pair.key, machine.name);
    return LEVEL;
  }

  /** Every machine keeps its own until the user has decided; both contents are kept. */
  async conflictForUser(
    machine: MachineView,
    pair: Pair,
    seen: SeenFile,
    head: Head | undefined,
    strategy: string,
  ): Promise<Outcome> {
    const { store, clock, archive } = this.#ctx;
    const { observed, stat, staged } = seen;
    if (observed.kind !== 'file' || stat === null || !head) return LOOK;
    const reason = 'differs from the other machines: decide with claude-sync conflicts';
    const open = store.conflicts.list({ status: 'open', key: pair.key })[0];
    const known = open?.sides.find((side) => side.machine === machine.name);
    if (known?.sha256 === observed.hash) return { kind: 'manual', reason };
    if (staged === null) return readAgain(this.#ctx, machine, pair);
    await this.#heads.keepStaged(machine, pair.key, staged, stat, 'lost-conflict');
    if (head.kind === 'file') await archive.keep(archive.read(pair.key, 0, head.size));
    // Asked again in the turn in which it is written: another machine's difference may have been found meanwhile.
    const now = store.conflicts.list({ status: 'open', key: pair.key })[0];
    const side = { machine: machine.name, sha256: observed.hash, bytes: observed.size, mtimeMs: stat.mtimeMs };
    let conflict: ConflictRow;
    if (now) {
      conflict = { ...now, sides: [...now.sides.filter((other) => other.machine !== machine.name), side] };
      store.conflicts.update(conflict);
    } else {
      conflict = store.conflicts.add({
        key: pair.key,
        at: clock.now(),
        status: 'open',
        baseSha256: pair.base?.hash ?? null,
        sides: [{ machine: head.origin, sha256: head.hash, bytes: head.size, mtimeMs: head.mtimeMs }, side],
        strategy,
        winner: null,
        resolvedAt: null,
        resolution: null,
      });
    }
    this.#ctx.tell({ kind: 'conflict', machine: machine.name, conflict });
    this.#heads.log(machine, pair.key, 'conflict', observed.size, strategy);
    return { kind: 'manual', reason };
  }

  #headWins(head: Head, hash: Sha256, stat: FileStat, machine: MachineView): boolean {
    return (
      chooseWinner(
        { machine: head.origin, mtimeMs: head.mtimeMs, clockOffsetMs: 0, hash: head.hash },
        { machine: machine.name, mtimeMs: stat.mtimeMs, clockOffsetMs: machine.clockOffsetMs, hash },
      ) === 'a'
    );
  }

  #strategy(key: Key): 'last-write-wins' | 'manual' {
    const override = this.#ctx.settings.conflictOverrides.find((entry) => entry.matches(key));
    return override?.strategy ?? this.#ctx.settings.conflictStrategy;
  }

  async #contentOf(hash: Sha256 | null): Promise<Buffer | null> {
    if (hash === null || !(await this.#ctx.archive.holds(hash))) return null;
    return collect(this.#ctx.archive.readVersion(hash));
  }
}
