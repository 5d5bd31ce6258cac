import { CONFIRM_DELETE_MS } from '../../core/plan/plan.ts';
import type { Key, Pair } from '../../core/domain.ts';
import type { Rule } from '../../core/rules/classify.ts';
import { ArchiveDamaged } from '../archive/archive.ts';
import { FileSystemError } from '../ports/file-system.ts';
import { ReplicaFull, ReplicaUnreachable } from '../replica/replica.ts';
import { sessionOf, type EngineContext, type MachineView } from './context.ts';
import { absentBase, isUnchanged } from './files/base.ts';
import { FileCopy } from './files/copy.ts';
import type { HistoryCopy } from './history/copy.ts';
import type { LogIntake } from './logs/intake.ts';
import { ForgottenMeanwhile } from './logs/heads.ts';
import { ListedAbsence, untilSecondLook } from './machines/listed-absence.ts';
import { LogDelivery } from './logs/delivery.ts';
import type { Moves } from './machines/moves.ts';
import { LEVEL, settling, type Outcome } from './outcome.ts';
import type { Placement } from './places/placement.ts';
import { outOfScope } from './places/scope.ts';
import { INTERRUPTED, type Mark } from './work-queue.ts';

/** A copy that keeps changing under the hub's hands is left to others for a moment after this many rounds. */
const ROUNDS = 8;
/** Tries before a key is called failed on a machine; it is tried again from time to time all the same. */
const TRIES = 3;
const RETRY_MS = 1_000;
const FAILED_RETRY_MS = 60_000;
/** While the hub's own disk is full, work is tried again at this pace. */
const HUB_DISK_RETRY_MS = 2_000;

/**
 * Brings one key on one machine and its head level: observe, plan, commit, apply, verify. Which flow does it depends on how
 * the key merges. Never rejects: what goes wrong becomes the pair's state, a retry, or an interrupted queue.
 */
export class Reconciler {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;
  readonly #logCopy: LogIntake;
  readonly #logDelivery: LogDelivery;
  readonly #files: FileCopy;
  readonly #absence: ListedAbsence;
  readonly #history: HistoryCopy;
  readonly #moves: Moves;
  readonly #onUnreachable: (machine: MachineView, error: ReplicaUnreachable) => void;
  readonly #onHubTrouble: (error: Error) => void;
  readonly #attempts = new Map<string, number>();
  readonly #absentSince = new Map<string, number>();

  constructor(options: {
    readonly ctx: EngineContext;
    readonly placement: Placement;
    readonly logs: LogIntake;
    readonly moves: Moves;
    readonly history: HistoryCopy;
    readonly onUnreachable: (machine: MachineView, error: ReplicaUnreachable) => void;
    readonly onHubTrouble: (error: Error) => void;
  }) {
    this.#ctx = options.ctx;
    this.#placement = options.placement;
    this.#logCopy = options.logs;
    this.#moves = options.moves;
    this.#logDelivery = new LogDelivery(options.ctx);
    this.#absence = new ListedAbsence(options.ctx.clock);
    this.#files = new FileCopy(options.ctx, this.#absence);
    this.#history = options.history;
    this.#onUnreachable = options.onUnreachable;
    this.#onHubTrouble = options.onHubTrouble;
  }

  async run(machine: MachineView, key: Key, mark: Mark): Promise<void | typeof INTERRUPTED> {
    if (!machine.writable) return;
    const id = `${machine.name}\n${key}`;
    try {
      const outcome = await this.#rounds(machine, key, mark);
      this.#settle(machine, key, id, outcome);
      return;
    } catch (error) {
      if (error instanceof ReplicaUnreachable) {
        this.#onUnreachable(machine, error);
        return INTERRUPTED;
      }
      const path = this.#ctx.store.pairs.get(machine.name, key)?.path;
      if (FileSystemError.is(error, 'denied') && error.path === path) {
        const why = 'it cannot be read: the file system does not permit it';
        machine.notices.set(path, why);
        this.#settle(machine, key, id, { kind: 'held', reason: why });
        return;
      }
      if (FileSystemError.is(error, 'busy') && error.path === path) {
        // A virus scanner or an editor has it open (Windows): as good as any moment is the next one.
        this.#settle(machine, key, id, { kind: 'failed', reason: 'another program has the file open', code: 'busy' });
        return;
      }
      if (error instanceof ReplicaFull) {
        this.#settle(machine, key, id, { kind: 'failed', reason: error.message, code: 'no-space' });
        return;
      }
      if (FileSystemError.is(error, 'no-space')) {
        this.#onHubTrouble(error);
        machine.queue.again(key, HUB_DISK_RETRY_MS, 'settling', { look: true });
        return;
      }
      if (error instanceof ArchiveDamaged) this.#ctx.archiveDamaged(key);
      if (error instanceof ForgottenMeanwhile) return machine.queue.mark(key, { look: true });
      const reason = error instanceof Error ? error.message : String(error);
      this.#onHubTrouble(error instanceof Error ? error : new Error(reason));
      this.#settle(machine, key, id, { kind: 'failed', reason, code: 'io' });
    }
  }

  async #rounds(machine: MachineView, key: Key, mark: Mark): Promise<Outcome> {
    const rule = this.#ctx.rules.ofKey(key);
    const denied = !rule.allowed || this.#ctx.rules.excludesKey(key);
    if (denied && this.#ctx.guards.on('deny-rules')) return LEVEL;
    if (this.#ctx.isForgotten(key)) return this.#forget(machine, key);
    if (rule.merge === 'log' && this.#ctx.isDamaged(key)) {
      return {
        kind: 'held',
        reason: "the hub's own copy is damaged on its disk; it waits until a machine that has it whole can be reached",
      };
    }
    let look = mark.look ?? false;
    for (let round = 0; round < ROUNDS; round += 1) {
      if (!machine.writable) return LEVEL;
      const pair = await this.#pair(machine, key);
      if ('held' in pair) return { kind: 'held', reason: pair.held };
      const outside = await this.#outOfScope(machine, pair);
      if (outside !== null) return { kind: 'held', reason: outside };
      const moved = await this.#moves.settlePlace(machine, pair);
      let outcome = moved ?? (await this.#once(machine, pair, rule, { look, deep: mark.deep ?? false }));
      if (outcome.kind !== 'look') outcome = (await this.#moves.foldExtras(machine, pair)) ?? outcome;
      // A copy that was never made has no row yet to remember why.
      const isStuck = outcome.kind === 'held' || outcome.kind === 'failed';
      if (isStuck && !this.#ctx.store.pairs.get(machine.name, key)) this.#ctx.store.pairs.put(pair);
      if (outcome.kind !== 'look') return outcome;
      look = true;
    }
    return settling(RETRY_MS / 4);
  }

  /** Whether a copy that is not there is not meant to be. Files that a machine has are read whatever its scope. */
  async #outOfScope(machine: MachineView, pair: Pair): Promise<string | null> {
    const { scope } = machine.settings;
    const unlimited = scope.projects === null && scope.maxAgeDays === null && scope.maxFileBytes === null;
    const head = this.#ctx.store.heads.get(pair.key);
    if (unlimited || pair.base !== null || head?.kind !== 'file') return null;
    if ((await machine.replica.look(pair.path)).kind === 'file') return null;
    const session = sessionOf(pair.key);
    return outOfScope(scope, {
      head,
      session: session === null ? undefined : this.#ctx.store.heads.get(`session/${session}`),
      project: scope.projects === null ? null : await this.#placement.projectOf(pair.key),
      now: this.#ctx.clock.now(),
    });
  }

  async #pair(machine: MachineView, key: Key): Promise<Pair | { held: string }> {
    const known = this.#ctx.store.pairs.get(machine.name, key);
    if (known) return known;
    const place = await this.#placement.placeFor(machine, key);
    if ('held' in place) return place;
    return { machine: machine.name, key, path: place.path, base: null, evictedSeq: null, state: 'ok', reason: null };
  }

  #once(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<Outcome> {
    switch (rule.merge) {
      case 'log':
        return this.#log(machine, pair, rule, mark);
      case 'union':
        return this.#history.reconcile(machine, pair, mark);
      default:
        return this.#files.reconcile(machine, pair, rule, mark);
    }
  }

  // --- logs --------------------------------------------------------------------------------------------------------------

  async #log(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<Outcome> {
    const { store, heads } = { store: this.#ctx.store, heads: this.#ctx.store.heads };
    if (mark.look || pair.base?.kind !== 'file') {
      const look = await machine.replica.look(pair.path);
      if (look.kind === 'unknown' || look.kind === 'refused') {
        machine.notices.set(pair.path, look.reason);
        if (look.kind === 'unknown' && !this.#ctx.guards.on('unknown-is-not-absent'))
          return this.#logAbsent(machine, pair);
        return { kind: 'held', reason: look.reason };
      }
      machine.notices.delete(pair.path);
      if (look.kind === 'absent') return this.#logAbsent(machine, pair);
      this.#absentSince.delete(`${machine.name}\n${pair.key}`);
      if (pair.base?.kind !== 'file' || mark.deep || !isUnchanged(pair.base, look.stat)) {
        if (pair.base?.kind !== 'file' || !isUnchanged(pair.base, look.stat)) machine.noteChange(pair.key);
        await machine.takeLateWrites(pair.key);
        const changed = await this.#logCopy.take(machine, { pair, stat: look.stat, rule });
        if (changed) {
          this.#ctx.headChanged(pair.key, machine.name);
          await this.#moves.noteGrowth(machine, pair);
        }
      }
    }
    const head = heads.get(pair.key);
    if (head?.kind !== 'file') return LEVEL;
    const outcome = await this.#logDelivery.deliver(machine, store.pairs.get(machine.name, pair.key) ?? pair, head);
    const now = heads.get(pair.key);
    // The head went on while this copy was brought level with what it was.
    if (outcome.kind === 'level' && now !== undefined && now.seq !== head.seq)
      machine.queue.mark(pair.key, { urgent: true });
    return outcome;
  }

  async #logAbsent(machine: MachineView, pair: Pair): Promise<Outcome> {
    const { store, clock } = this.#ctx;
    const head = store.heads.get(pair.key);
    if (head?.kind !== 'file') return LEVEL;
    if (pair.base?.kind === 'file') {
      const id = `${machine.name}\n${pair.key}`;
      const since = this.#absentSince.get(id);
      const waited = since === undefined ? 0 : clock.now() - since;
      if (this.#ctx.guards.on('confirm-delete') && (since === undefined || waited < CONFIRM_DELETE_MS)) {
        this.#absentSince.set(id, since ?? clock.now());
        return settling(untilSecondLook(clock.now(), since ?? clock.now()));
      }
      const notBefore = (since ?? clock.now()) + CONFIRM_DELETE_MS;
      if (this.#ctx.guards.on('confirm-delete') && !(await this.#absence.confirms(machine, pair.path, notBefore)))
        return settling(CONFIRM_DELETE_MS);
      if (!(await machine.isItself())) return settling(CONFIRM_DELETE_MS);
      this.#absentSince.delete(id);
      // The head has lines that this copy never had: a change beats a delete.
      const grewMeanwhile = pair.base.seq !== head.seq && this.#ctx.guards.on('change-beats-delete');
      store.pairs.put({ ...pair, base: null, evictedSeq: grewMeanwhile ? null : head.seq, state: 'ok', reason: null });
      if (!grewMeanwhile) {
        this.#ctx.logged({
          key: pair.key,
          source: machine.name,
          target: null,
          action: 'evict',
          outcome: 'done',
          bytes: 0,
          durationMs: 0,
          detail: 'gone from this machine; the hub and the others keep it',
        });
        return LEVEL;
      }
      return this.#logDelivery.deliver(machine, { ...pair, base: null }, head);
    }
    if (pair.evictedSeq !== null && pair.evictedSeq === head.seq) return LEVEL;
    if (pair.evictedSeq !== null) this.#bringBack(machine, pair.key);
    return this.#logDelivery.deliver(machine, { ...pair, base: null, evictedSeq: null }, head);
  }

  /** New records push an evicted session with its sidecars whole. */
  #bringBack(machine: MachineView, key: Key): void {
    const session = sessionOf(key);
    if (session === null) return;
    for (const other of this.#ctx.store.heads.withPrefix(`session/${session}`)) {
      const pair = this.#ctx.store.pairs.get(machine.name, other);
      if (other === key || pair === undefined || pair.evictedSeq === null) continue;
      this.#ctx.store.pairs.put({ ...pair, evictedSeq: null });
      machine.queue.mark(other, { look: true });
    }
  }

  // --- deliberate deletes --------------------------------------------------------------------------------------------------

  /** A forgotten session that is still, or again, on this machine goes into undo there. */
  async #forget(machine: MachineView, key: Key): Promise<Outcome> {
    const { store } = this.#ctx;
    const pair = store.pairs.get(machine.name, key);
    if (!pair) return LEVEL;
    const look = await machine.replica.look(pair.path);
    if (look.kind === 'file') {
      const session = sessionOf(key);
      if (session !== null && (await machine.isLive(session, true))) {
        machine.queue.again(key, 5_000, 'idle', { look: true });
        return { kind: 'deferred-live', reason: 'forgotten, but still open there: it is removed when it is closed' };
      }
      await this.#ctx.makeDurable([]);
      const removed = await machine.replica.remove(pair.path, { expect: look.stat });
      if (removed.kind === 'changed') return settling(RETRY_MS / 4);
      if (removed.kind === 'refused') return { kind: 'failed', reason: removed.reason, code: removed.code };
      if (session !== null) await machine.replica.dropUndo((path) => path.includes(session));
    } else if (look.kind !== 'absent') {
      return { kind: 'held', reason: look.reason };
    }
    store.pairs.put({ ...pair, base: absentBase(0), evictedSeq: null });
    return LEVEL;
  }

  // --- what became of it -----------------------------------------------------------------------------------------------------

  #settle(machine: MachineView, key: Key, id: string, outcome: Outcome): void {
    if (outcome.kind !== 'failed') this.#attempts.delete(id);
    switch (outcome.kind) {
      case 'level':
        this.#setState(machine, key, 'ok', null);
        return;
      case 'look':
        return;
      case 'later':
        machine.queue.again(key, outcome.ms, outcome.wait);
        return;
      case 'held':
      case 'manual':
      case 'deferred-live':
        this.#setState(machine, key, outcome.kind, outcome.reason);
        return;
      case 'failed': {
        const attempts = (this.#attempts.get(id) ?? 0) + 1;
        this.#attempts.set(id, attempts);
        if (attempts < TRIES) {
          this.#ctx.tell({ kind: 'retry', machine: machine.name, key, reason: outcome.reason });
          machine.queue.again(key, RETRY_MS * 2 ** (attempts - 1), 'settling');
          return;
        }
        // Once for each failure: the tries that follow, every few seconds on a full disk, are the same one, and so are those after a restart.
        if (attempts === TRIES && this.#ctx.store.pairs.get(machine.name, key)?.state !== 'failed') {
          this.#logFailure(machine, key, outcome.reason);
          this.#ctx.tell({ kind: 'failed', machine: machine.name, key, reason: outcome.reason });
        }
        this.#setState(machine, key, 'failed', outcome.reason);
        machine.queue.again(
          key,
          outcome.code === 'no-space' || outcome.code === 'busy' ? RETRY_MS * 5 : FAILED_RETRY_MS,
          'idle',
        );
      }
    }
  }

  #logFailure(machine: MachineView, key: Key, detail: string): void {
    this.#ctx.logged({
      key,
      source: null,
      target: machine.name,
      action: 'refuse',
      outcome: 'failed',
      bytes: 0,
      durationMs: 0,
      detail,
    });
  }

  #setState(machine: MachineView, key: Key, state: Pair['state'], reason: string | null): void {
    const pair = this.#ctx.store.pairs.get(machine.name, key);
    if (!pair) {
      if (state !== 'ok' && reason !== null) {
        // Held before it ever had a place there: remembered in memory only, the plan finds it again.
        machine.heldKeys.set(key, reason);
      }
      return;
    }
    machine.heldKeys.delete(key);
    if (state === 'ok') machine.notices.delete(key);
    if (pair.state !== state || pair.reason !== reason) this.#ctx.store.pairs.put({ ...pair, state, reason });
  }
}
