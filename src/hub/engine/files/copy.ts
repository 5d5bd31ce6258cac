import { CONFIRM_DELETE_MS, executableOf, plan } from '../../../core/plan/plan.ts';
import type { FileStat, Head, Pair, Sha256, UnixMs } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import { ArchiveDamaged } from '../../archive/archive.ts';
import type { WriteOutcome } from '../../replica/replica.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { askForApproval } from './approval.ts';
import { absentBase, fileBase, isUnchanged, readAgain, withTrustedTime } from './base.ts';
import { FileHeads } from './heads.ts';
import { FileMerge } from './merge.ts';
import { FileSight, type SeenFile } from './sight.ts';
import { FileView } from './view.ts';
import type { ListedAbsence } from '../machines/listed-absence.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from '../outcome.ts';
import type { Mark } from '../work-queue.ts';

/**
 * Reconciles everything but logs and history: documents, sidecars, blobs, settings. One call looks, plans, and does one thing.
 */
export class FileCopy {
  readonly #ctx: EngineContext;
  readonly #view: FileView;
  readonly #sight: FileSight;
  readonly #heads: FileHeads;
  readonly #merge: FileMerge;
  /** Since when a copy has been seen with a content that its key had before. */
  readonly #backSince = new Map<string, UnixMs>();

  constructor(ctx: EngineContext, absence: ListedAbsence) {
    this.#ctx = ctx;
    this.#view = new FileView(ctx);
    this.#sight = new FileSight(ctx, this.#view, absence);
    this.#heads = new FileHeads(ctx);
    this.#merge = new FileMerge(ctx, this.#heads);
  }

  async reconcile(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<Outcome> {
    const seen = await this.#sight.see(machine, pair, rule, mark);
    if ('kind' in seen) return seen;
    try {
      return await this.#act(machine, pair, rule, seen);
    } finally {
      if (seen.staged) await this.#ctx.archive.discard(seen.staged);
    }
  }

  async #act(machine: MachineView, pair: Pair, rule: Rule, seen: SeenFile): Promise<Outcome> {
    const { store, guards } = this.#ctx;
    const head = store.heads.get(pair.key);
    const input = {
      head,
      base: pair.base,
      observed: seen.observed,
      evictedSeq: pair.evictedSeq,
      deleteRule: deleteRule(machine, rule),
      executableBitCounts: machine.os !== 'windows',
      guards,
    };
    const todo = plan(input);
    switch (todo.do) {
      case 'nothing':
        // The same content with another time, or with one that proves something at last: it is not read again.
        if (seen.stat !== null && pair.base?.kind === 'file' && !isUnchanged(pair.base, seen.stat)) {
          this.#heads.saveSeen(machine, pair, seen, pair.base.seq);
        }
        return seen.observed.kind === 'unknown'
          ? { kind: 'held', reason: machine.notices.get(pair.path) ?? 'cannot be read' }
          : LEVEL;
      case 'adopt':
        this.#heads.saveSeen(machine, pair, seen, head?.seq ?? 0);
        return LEVEL;
      case 'confirm-delete':
        return this.#sight.waitForDelete(machine, pair, rule);
      case 'evict':
        return this.#evict(machine, pair, head);
      case 'commit-tombstone':
        // The folder of a project that is renamed or removed takes its memory along: nobody deleted that.
        return (await isWithoutProject(machine, pair))
          ? this.#evict(machine, pair, head)
          : this.#commitTombstone(machine, pair, head);
      case 'commit':
        return this.#commit(machine, pair, rule, seen, head, input);
      case 'deliver':
        return head ? this.#deliver(machine, pair, rule, seen, head) : LEVEL;
      case 'merge':
        return this.#merge.merge(machine, pair, rule, seen, head, input);
      case 'first-conflict':
        return this.#merge.conflictForUser(machine, pair, seen, head, 'first-pairing');
    }
  }

  #evict(machine: MachineView, pair: Pair, head: Head | undefined): Outcome {
    machine.pendingDelete(pair.key, false);
    this.#ctx.store.pairs.put({ ...pair, base: null, evictedSeq: head?.seq ?? 0, state: 'ok', reason: null });
    this.#heads.log(machine, pair.key, 'evict', 0, null);
    return LEVEL;
  }

  async #commitTombstone(machine: MachineView, pair: Pair, head: Head | undefined): Promise<Outcome> {
    const { store, archive, lock } = this.#ctx;
    machine.noteSuspicion('delete', pair.key);
    if (!machine.writable) return { kind: 'held', reason: 'the machine was stopped by a safeguard' };
    return lock.with(pair.key, async () => {
      if (store.heads.get(pair.key)?.seq !== head?.seq || head === undefined) return LOOK;
      await this.#heads.keepHead(head, 'deleted');
      const tombstone: Head = {
        ...head,
        seq: store.nextSeq(),
        kind: 'tombstone',
        size: 0,
        hash: null,
        origin: machine.name,
        mtimeMs: this.#ctx.clock.now(),
      };
      this.#ctx.newGeneration(pair.key);
      store.heads.put(tombstone);
      store.pairs.put({ ...pair, base: absentBase(tombstone.seq), evictedSeq: null, state: 'ok', reason: null });
      await this.#ctx.makeDurable([]);
      await archive.remove(pair.key);
      this.#heads.log(machine, pair.key, 'commit', 0, 'deleted');
      this.#ctx.headChanged(pair.key, machine.name);
      return LEVEL;
    });
  }

  // --- inbound ---------------------------------------------------------------------------------------------------------

  async #commit(
    machine: MachineView,
    pair: Pair,
    rule: Rule,
    seen: SeenFile,
    head: Head | undefined,
    input: Parameters<typeof executableOf>[0],
  ): Promise<Outcome> {
    const { store, lock } = this.#ctx;
    const { observed, stat } = seen;
    if (observed.kind !== 'file' || stat === null) return LOOK;
    // Planned from what the base remembers: the bytes themselves have to be read first.
    const staged = seen.staged;
    if (staged === null) return readAgain(this.#ctx, machine, pair);
    if (rule.executableContent && machine.settings.trust === 'data')
      return askForApproval(this.#ctx, machine, pair, seen, staged);
    const id = `${machine.name}\n${pair.key}`;
    const guarded = this.#ctx.guards.on('quarantine-back-in-time');
    if (guarded && head && store.versions.list(pair.key).some((version) => version.sha256 === observed.hash)) {
      machine.noteSuspicion('back-in-time', pair.key);
      if (!machine.writable) return { kind: 'held', reason: 'the machine was stopped by a safeguard' };
      // Held for as long as a delete is: a restored backup goes back in many files, and none of them may be passed on before that is seen.
      const now = this.#ctx.clock.now();
      const since = this.#backSince.get(id) ?? now;
      this.#backSince.set(id, since);
      if (now - since < CONFIRM_DELETE_MS) return settling(CONFIRM_DELETE_MS - (now - since));
    }
    this.#backSince.delete(id);
    return lock.with(pair.key, async () => {
      if (store.heads.get(pair.key)?.seq !== head?.seq) return LOOK;
      if (head?.kind === 'file') await this.#heads.keepHead(head, 'overwritten');
      const made = await this.#heads.install(
        machine,
        pair.key,
        staged,
        stat.mtimeMs - machine.clockOffsetMs,
        executableOf(input, observed),
      );
      this.#heads.saveSeen(machine, pair, seen, made.seq);
      this.#heads.log(machine, pair.key, 'commit', made.size, null);
      this.#ctx.headChanged(pair.key, machine.name);
      return LEVEL;
    });
  }

  // --- outbound --------------------------------------------------------------------------------------------------------

  async #deliver(machine: MachineView, pair: Pair, rule: Rule, seen: SeenFile, head: Head): Promise<Outcome> {
    const { replica } = machine;
    const { stat, observed } = seen;
    const expectedHash = observed.kind === 'file' && rule.merge !== 'keys' ? observed.hash : null;
    if (head.kind === 'tombstone') {
      if (stat === null) {
        this.#ctx.store.pairs.put({ ...pair, base: absentBase(head.seq), evictedSeq: null });
        return LEVEL;
      }
      await this.#ctx.makeDurable([]);
      const removed = await replica.remove(pair.path, { expect: stat, sha256: expectedHash });
      if (removed.kind !== 'done') return notDone(removed);
      this.#ctx.store.pairs.put({ ...pair, base: absentBase(head.seq), evictedSeq: null });
      machine.noteDelivered({ key: pair.key, bytes: 0, isWhole: true });
      return LEVEL;
    }
    if (stat !== null) await this.#ctx.makeDurable([pair.key]);
    // A new document that a crash makes the hub forget would come back from here as this machine's own, against its origin's.
    else if (rule.class === 'document') await this.#ctx.store.flush();
    const put = await this.#put(machine, pair, rule, head, stat, expectedHash);
    if (put === null) return LOOK;
    const { outcome, size } = put;
    if (outcome.kind !== 'done') return notDone(outcome);
    // What was put there is this head's content to the byte, also when another one took its place meanwhile.
    this.#ctx.store.pairs.put({
      ...pair,
      evictedSeq: null,
      base: fileBase(
        withTrustedTime(this.#ctx.clock, machine, pair.key, outcome.stat),
        head.seq,
        head.hash,
        head.executable,
      ),
    });
    machine.noteDelivered({ key: pair.key, bytes: size, isWhole: true });
    return this.#ctx.store.heads.get(pair.key)?.seq === head.seq ? LEVEL : LOOK;
  }

  /** Creates or replaces the copy; `null` when the head was replaced while it was being read. */
  async #put(
    machine: MachineView,
    pair: Pair,
    rule: Rule,
    head: Head,
    stat: FileStat | null,
    sha256: Sha256 | null,
  ): Promise<{ readonly outcome: WriteOutcome; readonly size: number } | null> {
    try {
      const rendered = await this.#view.render(machine, pair, rule, stat?.size ?? null, head);
      const outcome = await machine.replica.put(pair.path, {
        expect: stat === null ? { kind: 'absent' } : { kind: 'file', stat, sha256 },
        content: rendered.content,
        // Of settings a machine gets its own rendering.
        source: rule.merge === 'keys' ? null : this.#ctx.archive.localPath(pair.key),
        sha256: rule.merge === 'keys' ? null : head.hash,
        size: rendered.size,
        mtimeMs: Math.min(head.mtimeMs, this.#ctx.clock.now()) + machine.clockOffsetMs,
        executable: head.executable,
        how: 'exchange',
      });
      return { outcome, size: rendered.size };
    } catch (error) {
      if (error instanceof ArchiveDamaged && this.#ctx.store.heads.get(pair.key)?.seq !== head.seq) return null;
      throw error;
    }
  }
}

/** What is run or followed elsewhere is not taken away there by a machine that is trusted with data only. */
function deleteRule(machine: MachineView, rule: Rule): 'evict' | 'tombstone' {
  return rule.executableContent && machine.settings.trust === 'data' ? 'evict' : (rule.delete ?? 'evict');
}

async function isWithoutProject(machine: MachineView, pair: Pair): Promise<boolean> {
  const folder = /^projects\/[^/]+/.exec(pair.path)?.[0];
  return folder !== undefined && (await machine.replica.look(folder)).kind === 'absent';
}
