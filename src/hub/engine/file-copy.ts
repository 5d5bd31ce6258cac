import { isMergeableText, mergeText } from '../../core/document/merge-text.ts';
import { chooseWinner } from '../../core/plan/choose-winner.ts';
import { CONFIRM_DELETE_MS, executableOf, plan, type Observed } from '../../core/plan/plan.ts';
import { mergeSettings } from '../../core/settings/merge-settings.ts';
import type { Base, FileStat, Head, Key, Pair, Sha256, UnixMs, VersionReason } from '../../core/domain.ts';
import type { Rule } from '../../core/rules/classify.ts';
import { ArchiveDamaged, type Staged } from '../archive/archive.ts';
import type { WriteOutcome } from '../replica/replica.ts';
import type { EngineContext, MachineView } from './context.ts';
import { collect, once } from './excerpt.ts';
import { absentBase, fileBase, isUnchanged, UNTRUSTED_TIME, withTrustedTime } from './file-base.ts';
import { FileView } from './file-view.ts';
import { untilSecondLook, type ListedAbsence } from './listed-absence.ts';
import { statOf } from './log-delivery.ts';
import { ForgottenMeanwhile } from './log-heads.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from './outcome.ts';
import type { Mark } from './work-queue.ts';

/** A file that is being written is read when it has looked the same for this long ... */
const STABLE_MS = 100;
/** ... or when it has been changing for this long. */
const STABLE_AT_MOST_MS = 3_000;

/** What was seen of a file, with its content in staging when it had to be read. */
interface SeenFile {
  readonly observed: Observed;
  readonly stat: FileStat | null;
  readonly staged: Staged | null;
}

/**
 * Reconciles everything but logs and history: documents, sidecars, blobs, settings. One call looks, plans, and does one thing.
 */
export class FileCopy {
  readonly #ctx: EngineContext;
  readonly #view: FileView;
  readonly #absence: ListedAbsence;
  /** First sight of an absence or of a file in motion, per machine and key. */
  readonly #absentSince = new Map<string, UnixMs>();
  /** Since when a copy has been seen with a content that its key had before. */
  readonly #backSince = new Map<string, UnixMs>();
  readonly #moving = new Map<string, { firstAt: UnixMs; sameSince: UnixMs; size: number; mtimeMs: UnixMs }>();

  constructor(ctx: EngineContext, absence: ListedAbsence) {
    this.#ctx = ctx;
    this.#absence = absence;
    this.#view = new FileView(ctx);
  }

  async reconcile(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<Outcome> {
    const seen = await this.#see(machine, pair, rule, mark);
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
      deleteRule: this.#deleteRule(machine, rule),
      executableBitCounts: machine.os !== 'windows',
      guards,
    };
    const todo = plan(input);
    switch (todo.do) {
      case 'nothing':
        return seen.observed.kind === 'unknown' ? { kind: 'held', reason: machine.notices.get(pair.path) ?? 'cannot be read' } : LEVEL;
      case 'adopt':
        this.#saveSeen(machine, pair, seen, head?.seq ?? 0);
        return LEVEL;
      case 'confirm-delete':
        return this.#waitForDelete(machine, pair, rule);
      case 'evict':
        return this.#evict(machine, pair, head);
      case 'commit-tombstone':
        // The folder of a project that is renamed or removed takes its memory along: nobody deleted that.
        return (await this.#isWithoutProject(machine, pair)) ? this.#evict(machine, pair, head) : this.#commitTombstone(machine, pair, head);
      case 'commit':
        return this.#commit(machine, pair, rule, seen, head, input);
      case 'deliver':
        return head ? this.#deliver(machine, pair, rule, seen, head) : LEVEL;
      case 'merge':
        return this.#merge(machine, pair, rule, seen, head, input);
      case 'first-conflict':
        return this.#conflictForUser(machine, pair, seen, head, 'first-pairing');
    }
  }

  // --- looking ---------------------------------------------------------------------------------------------------------

  async #see(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<SeenFile | Outcome> {
    const { base } = pair;
    if (!mark.look && base !== null) {
      if (base.kind === 'absent') return { observed: { kind: 'absent', confirmed: true }, stat: null, staged: null };
      if (base.mtimeMs !== UNTRUSTED_TIME) return { observed: baseObserved(base), stat: statOf(base), staged: null };
    }
    const look = await machine.replica.look(pair.path);
    const id = `${machine.name}\n${pair.key}`;
    if (look.kind === 'unknown' || look.kind === 'refused') {
      machine.notices.set(pair.path, look.reason);
      return { observed: { kind: 'unknown' }, stat: null, staged: null };
    }
    machine.notices.delete(pair.path);
    if (look.kind === 'absent') {
      this.#moving.delete(id);
      return { observed: { kind: 'absent', confirmed: await this.#isConfirmed(machine, pair, id) }, stat: null, staged: null };
    }
    if (this.#absentSince.delete(id)) machine.pendingDelete(pair.key, false);
    const { stat } = look;
    if (base?.kind === 'file' && base.hash !== null && isUnchanged(base, stat)) {
      return { observed: baseObserved(base), stat, staged: null };
    }
    const wait = this.#motion(machine, stat, id);
    if (wait !== null) return wait;
    return this.#read(machine, pair, rule, stat, id);
  }

  async #read(machine: MachineView, pair: Pair, rule: Rule, stat: FileStat, id: string): Promise<SeenFile | Outcome> {
    const staged = await this.#view.stage(machine, pair, rule, stat.size);
    if ('unreadable' in staged) {
      machine.notices.set(pair.path, staged.unreadable);
      return { observed: { kind: 'unknown' }, stat: null, staged: null };
    }
    machine.noteReceived(staged.bytes);
    const after = await machine.replica.look(pair.path);
    if (after.kind !== 'file' || after.stat.size !== stat.size || after.stat.mtimeMs !== stat.mtimeMs || after.stat.inode !== stat.inode) {
      await this.#ctx.archive.discard(staged);
      return settling(STABLE_MS);
    }
    this.#moving.delete(id);
    return {
      observed: { kind: 'file', hash: staged.sha256, size: staged.bytes, executable: stat.executable },
      stat: after.stat,
      staged,
    };
  }

  /** Documents ship when two looks agree: an editor may be in the middle of writing. */
  #motion(machine: MachineView, stat: FileStat, id: string): Outcome | null {
    const now = this.#ctx.clock.now();
    if (machine.pairing || now - (stat.mtimeMs - machine.clockOffsetMs) > STABLE_AT_MOST_MS) return null;
    const before = this.#moving.get(id);
    if (before && before.size === stat.size && before.mtimeMs === stat.mtimeMs) {
      return now - before.sameSince >= STABLE_MS ? null : settling(STABLE_MS);
    }
    if (before && now - before.firstAt >= STABLE_AT_MOST_MS) return null;
    this.#moving.set(id, { firstAt: before?.firstAt ?? now, sameSince: now, size: stat.size, mtimeMs: stat.mtimeMs });
    return settling(STABLE_MS);
  }

  // --- deletes ---------------------------------------------------------------------------------------------------------

  async #isConfirmed(machine: MachineView, pair: Pair, id: string): Promise<boolean> {
    const since = this.#absentSince.get(id);
    if (since === undefined || this.#ctx.clock.now() - since < CONFIRM_DELETE_MS) return false;
    return (await this.#absence.confirms(machine, pair.path, since + CONFIRM_DELETE_MS)) && machine.isItself();
  }

  #waitForDelete(machine: MachineView, pair: Pair, rule: Rule): Outcome {
    if (rule.delete === 'tombstone') machine.pendingDelete(pair.key, true);
    const id = `${machine.name}\n${pair.key}`;
    const since = this.#absentSince.get(id) ?? this.#ctx.clock.now();
    this.#absentSince.set(id, since);
    return settling(Math.max(untilSecondLook(this.#ctx.clock.now(), since), STABLE_MS));
  }

  /** What is run or followed elsewhere is not taken away there by a machine that is trusted with data only. */
  #deleteRule(machine: MachineView, rule: Rule): 'evict' | 'tombstone' {
    return rule.executableContent && machine.settings.trust === 'data' ? 'evict' : (rule.delete ?? 'evict');
  }

  #evict(machine: MachineView, pair: Pair, head: Head | undefined): Outcome {
    machine.pendingDelete(pair.key, false);
    this.#ctx.store.pairs.put({ ...pair, base: null, evictedSeq: head?.seq ?? 0, state: 'ok', reason: null });
    this.#log(machine, pair.key, 'evict', 0, null);
    return LEVEL;
  }

  async #isWithoutProject(machine: MachineView, pair: Pair): Promise<boolean> {
    const folder = /^projects\/[^/]+/.exec(pair.path)?.[0];
    return folder !== undefined && (await machine.replica.look(folder)).kind === 'absent';
  }

  async #commitTombstone(machine: MachineView, pair: Pair, head: Head | undefined): Promise<Outcome> {
    const { store, archive, lock } = this.#ctx;
    machine.noteSuspicion('delete', pair.key);
    if (!machine.writable) return { kind: 'held', reason: 'the machine was stopped by a safeguard' };
    return lock.with(pair.key, async () => {
      if (store.heads.get(pair.key)?.seq !== head?.seq || head === undefined) return LOOK;
      await this.#keepHead(head, 'deleted');
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
      this.#log(machine, pair.key, 'commit', 0, 'deleted');
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
    if (staged === null) return this.#readAgain(machine, pair);
    if (rule.executableContent && machine.settings.trust === 'data') return this.#askForApproval(machine, pair, seen, staged);
    const id = `${machine.name}\n${pair.key}`;
    if (head && this.#ctx.guards.on('quarantine-back-in-time') && store.versions.list(pair.key).some((version) => version.sha256 === observed.hash)) {
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
      if (head?.kind === 'file') await this.#keepHead(head, 'overwritten');
      const made = await this.#install(machine, pair.key, staged, stat.mtimeMs - machine.clockOffsetMs, executableOf(input, observed));
      this.#saveSeen(machine, pair, seen, made.seq);
      this.#log(machine, pair.key, 'commit', made.size, null);
      this.#ctx.headChanged(pair.key, machine.name);
      return LEVEL;
    });
  }

  /** The planner wants content that was not read in this look (only the executable bit changed, a tombstone came): read it. */
  #readAgain(machine: MachineView, pair: Pair): Outcome {
    const stored = this.#ctx.store.pairs.get(machine.name, pair.key) ?? pair;
    if (stored.base) this.#ctx.store.pairs.put({ ...stored, base: { ...stored.base, inode: 'changed', mtimeMs: -1 } });
    return LOOK;
  }

  async #askForApproval(machine: MachineView, pair: Pair, seen: SeenFile, staged: Staged): Promise<Outcome> {
    const { store, archive, clock } = this.#ctx;
    const waiting = store.approvals.list().filter((row) => row.key === pair.key && row.machine === machine.name);
    if (waiting.some((row) => row.sha256 === staged.sha256 && row.status !== 'accepted')) {
      return { kind: 'held', reason: 'waits for your approval (claude-sync approve)' };
    }
    const kept = await archive.keep(archive.readStaged(staged, 0, staged.bytes));
    for (const row of waiting) if (row.status === 'waiting') store.approvals.update({ ...row, status: 'rejected' });
    store.approvals.add({
      key: pair.key,
      machine: machine.name,
      at: clock.now(),
      sha256: kept.sha256,
      bytes: kept.bytes,
      executable: seen.stat?.executable ?? false,
      status: 'waiting',
    });
    return { kind: 'held', reason: 'waits for your approval (claude-sync approve)' };
  }

  // --- both changed ----------------------------------------------------------------------------------------------------

  async #merge(
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
    if (staged === null) return this.#readAgain(machine, pair);
    if (rule.executableContent && machine.settings.trust === 'data') return this.#askForApproval(machine, pair, seen, staged);
    return lock.with(pair.key, async () => {
      if (store.heads.get(pair.key)?.seq !== head.seq) return LOOK;
      const merged = await this.#mergedContent(pair, rule, head, staged, stat, machine);
      if (merged === null) return this.#decide(machine, pair, seen, staged, stat, head, input);
      await this.#keepHead(head, 'merged');
      await this.#keepStaged(machine, pair.key, staged, stat, 'merged');
      const result = await archive.stage(once(merged));
      await this.#install(machine, pair.key, result, Math.max(head.mtimeMs, stat.mtimeMs - machine.clockOffsetMs), executableOf(input, observed));
      // The machine's own content is its base now: it gets the merged one as any machine that is behind.
      this.#saveSeen(machine, pair, seen, 0);
      this.#log(machine, pair.key, 'merge', merged.length, null);
      this.#ctx.headChanged(pair.key, null);
      return LOOK;
    });
  }

  async #mergedContent(pair: Pair, rule: Rule, head: Head, staged: Staged, stat: FileStat, machine: MachineView): Promise<Buffer | null> {
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
    if (this.#strategy(pair.key) === 'manual') return this.#conflictForUser(machine, pair, seen, head, 'manual');
    const headWins = this.#headWins(head, staged.sha256, stat, machine);
    const keep = this.#ctx.guards.on('keep-loser');
    const winner = headWins ? head.origin : machine.name;
    if (keep) await this.#keepStaged(machine, pair.key, staged, stat, headWins ? 'lost-conflict' : 'overwritten');
    if (keep) await this.#keepHead(head, headWins ? 'overwritten' : 'lost-conflict');
    store.conflicts.add({
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
    this.#log(machine, pair.key, 'conflict', staged.bytes, `last write wins: ${winner}`);
    if (headWins) {
      this.#saveSeen(machine, pair, seen, 0);
      return LOOK;
    }
    const observed = seen.observed.kind === 'file' ? seen.observed : { executable: stat.executable };
    const made = await this.#install(machine, pair.key, staged, stat.mtimeMs - machine.clockOffsetMs, executableOf(input, observed));
    this.#saveSeen(machine, pair, seen, made.seq);
    this.#ctx.headChanged(pair.key, machine.name);
    return LEVEL;
  }

  /** Every machine keeps its own until the user has decided; both contents are kept. */
  async #conflictForUser(machine: MachineView, pair: Pair, seen: SeenFile, head: Head | undefined, strategy: string): Promise<Outcome> {
    const { store, clock, archive } = this.#ctx;
    const { observed, stat, staged } = seen;
    if (observed.kind !== 'file' || stat === null || !head) return LOOK;
    const reason = 'differs from the other machines: decide with claude-sync conflicts';
    const open = store.conflicts.list({ status: 'open', key: pair.key })[0];
    const known = open?.sides.find((side) => side.machine === machine.name);
    if (known?.sha256 === observed.hash) return { kind: 'manual', reason };
    if (staged === null) return this.#readAgain(machine, pair);
    await this.#keepStaged(machine, pair.key, staged, stat, 'lost-conflict');
    if (head.kind === 'file') await archive.keep(archive.read(pair.key, 0, head.size));
    // Asked again in the turn in which it is written: another machine's difference may have been found meanwhile.
    const now = store.conflicts.list({ status: 'open', key: pair.key })[0];
    const side = { machine: machine.name, sha256: observed.hash, bytes: observed.size, mtimeMs: stat.mtimeMs };
    if (now) {
      store.conflicts.update({ ...now, sides: [...now.sides.filter((other) => other.machine !== machine.name), side] });
    } else {
      store.conflicts.add({
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
    this.#log(machine, pair.key, 'conflict', observed.size, strategy);
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
      machine.noteDelivered(this.#ctx.headSeenAt(pair.key), 0);
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
      base: fileBase(withTrustedTime(this.#ctx.clock, machine, pair.key, outcome.stat), head.seq, head.hash, head.executable),
    });
    machine.noteDelivered(this.#ctx.headSeenAt(pair.key), size);
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

  // --- small steps -----------------------------------------------------------------------------------------------------

  async #install(machine: MachineView, key: Key, staged: Staged, mtimeMs: UnixMs, executable: boolean): Promise<Head> {
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

  async #keepHead(head: Head, reason: VersionReason): Promise<void> {
    if (head.kind !== 'file') return;
    const { archive, store, clock } = this.#ctx;
    const kept = await archive.keep(archive.read(head.key, 0, head.size));
    store.versions.add({
      key: head.key,
      machine: head.origin,
      at: clock.now(),
      bytes: kept.bytes,
      sha256: kept.sha256,
      reason,
      executable: head.executable,
      mtimeMs: head.mtimeMs,
    });
  }

  async #keepStaged(machine: MachineView, key: Key, staged: Staged, stat: FileStat, reason: VersionReason): Promise<void> {
    const { archive, store, clock } = this.#ctx;
    const kept = await archive.keep(archive.readStaged(staged, 0, staged.bytes));
    store.versions.add({
      key,
      machine: machine.name,
      at: clock.now(),
      bytes: kept.bytes,
      sha256: kept.sha256,
      reason,
      executable: stat.executable,
      mtimeMs: stat.mtimeMs,
    });
  }

  #saveSeen(machine: MachineView, pair: Pair, seen: SeenFile, seq: number): void {
    const { observed, stat } = seen;
    if (observed.kind === 'absent') this.#ctx.store.pairs.put({ ...pair, base: absentBase(seq), evictedSeq: null });
    if (observed.kind !== 'file' || stat === null) return;
    this.#ctx.store.pairs.put({ ...pair, base: fileBase(withTrustedTime(this.#ctx.clock, machine, pair.key, stat), seq, observed.hash, observed.executable), evictedSeq: null });
  }

  #log(machine: MachineView, key: Key, action: 'commit' | 'merge' | 'conflict' | 'evict', bytes: number, detail: string | null): void {
    this.#ctx.logged({ key, source: machine.name, target: null, action, outcome: 'done', bytes, durationMs: 0, detail });
  }
}

function baseObserved(base: Base): Observed {
  return { kind: 'file', hash: base.hash ?? '', size: base.fileBytes, executable: base.executable };
}
