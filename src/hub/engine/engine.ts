import type { Key, MachineName, UnixMs } from '../../core/domain.ts';
import { readLines } from '../../core/log/lines.ts';
import type { Rules } from '../../core/rules/classify.ts';
import type { Archive } from '../archive/archive.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Replica } from '../replica/replica.ts';
import type { Store } from '../store/store.ts';
import { sessionOf, type EngineContext, type EngineSettings, type MachineSettings } from './context.ts';
import { Census, type Holdings, type StandingCounts } from './census.ts';
import { Damage } from './upkeep/damage.ts';
import type { SyncEvent } from './events.ts';
import { Forgotten } from './forgotten.ts';
import { ALL_GUARDS, type Guards } from './guards.ts';
import { HistoryCopy } from './history/copy.ts';
import { KeyLock } from './key-lock.ts';
import { LateWrites } from './machines/late-writes.ts';
import { LogIntake } from './logs/intake.ts';
import { MachineLink } from './machines/link.ts';
import { MachineScan } from './machines/scan.ts';
import { Moves } from './machines/moves.ts';
import { SentLines } from './logs/sent-lines.ts';
import { Placement } from './places/placement.ts';
import { Reconciler } from './reconcile.ts';
import { noteCleanStop, recover, type RecoveryReport } from './recovery.ts';
import { Together } from './together/together.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { UserActions } from './user-actions.ts';

/** When a head's change was seen is remembered for this many heads, for latency figures. */
const SEEN_KEPT = 4_096;

/** One machine to keep level. */
export interface EngineMachine {
  readonly replica: Replica;
  readonly settings: MachineSettings;
}

/** All that the engine is made of; nothing is reached for behind its back. */
export interface EngineOptions {
  readonly store: Store;
  readonly archive: Archive;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: Rules;
  readonly settings: EngineSettings;
  readonly machines: readonly EngineMachine[];
  /** For the simulation only; the product runs with all of them. */
  readonly guards?: Guards;
  /** Something that `status` shows may have changed. Called often. */
  readonly onChange?: () => void;
  /** A machine has everything for the first time: much was carried, and no more is. */
  readonly onPaired?: (machine: MachineName) => void;
  /** What is done, as it happens. It must not throw, and must cost nearly nothing: it is called in the middle of the work. */
  readonly onEvent?: (event: SyncEvent) => void;
  /** Something went wrong that no single key can tell (disk full, watcher limit). */
  readonly onTrouble?: (error: Error) => void;
}

/**
 * The heart of the hub. `createEngine` only builds; `start` recovers from a crash, connects the machines and begins to work.
 *
 * The flow is one way: a replica's hint or listing -> look -> plan -> commit to the archive -> apply to the other replicas, each
 * through its own queue -> verify -> base. Nothing is planned from memory of what was meant to happen.
 */
export function createEngine(options: EngineOptions): Engine {
  return new Engine(options);
}

/** See `createEngine`. */
export class Engine {
  readonly links = new Map<MachineName, MachineLink>();
  readonly actions: UserActions;
  readonly forgotten: Forgotten;
  /** Heads whose file on the hub's disk is damaged. */
  readonly damage: Damage;
  readonly placement: Placement;
  readonly #ctx: EngineContext;
  readonly #history: HistoryCopy;
  readonly #options: EngineOptions;
  readonly #generations = new Map<Key, number>();
  readonly #seenAt = new Map<Key, UnixMs>();
  readonly #waiters = new Set<() => void>();
  readonly #census: Census;
  readonly #upkeep: Upkeep;
  #started = false;
  #stopped = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.damage = new Damage(options.store);
    this.#ctx = this.#context();
    this.#census = new Census(options.store, options.rules);
    this.forgotten = new Forgotten(this.#ctx);
    this.placement = new Placement(this.#ctx);
    const logs = new LogIntake(this.#ctx);
    const moves = new Moves({ ctx: this.#ctx, placement: this.placement, logs });
    const history = new HistoryCopy(this.#ctx, this.placement);
    this.#history = history;
    this.actions = new UserActions(this.#ctx, this.forgotten, history);
    const reconciler = new Reconciler({
      history,
      ctx: this.#ctx,
      placement: this.placement,
      logs,
      moves,
      onUnreachable: (machine, error) => this.links.get(machine.name)?.lost(error),
      onHubTrouble: (error) => options.onTrouble?.(error),
    });
    const together = new Together({
      ctx: this.#ctx,
      placement: this.placement,
      moves,
      onUnreachable: (machine, error) => this.links.get(machine.name)?.lost(error),
      onTrouble: (error) => options.onTrouble?.(error),
    });
    const scan = new MachineScan({
      ctx: this.#ctx,
      placement: this.placement,
      moves,
      lateWrites: new LateWrites(this.#ctx, this.placement, history),
    });
    this.#upkeep = new Upkeep({
      ctx: this.#ctx,
      damage: this.damage,
      links: () => this.links.values(),
      onDone: () => options.onChange?.(),
      onTrouble: (error) => options.onTrouble?.(error),
    });
    for (const { replica, settings } of options.machines) {
      this.links.set(
        replica.machine,
        new MachineLink({
          ctx: this.#ctx,
          replica,
          settings,
          scan,
          run: (machine, key, mark) => reconciler.run(machine, key, mark),
          together,
          onChange: () => this.#changed(),
          onPaired: () => options.onPaired?.(replica.machine),
          onTrouble: (error) => options.onTrouble?.(error),
        }),
      );
    }
  }

  /** Recovers, then connects every machine; resolves when recovery is done, not when everything is in sync. */
  async start(): Promise<RecoveryReport> {
    await this.forgotten.load();
    const report = await recover(this.#ctx);
    await this.forgotten.finish();
    if (this.forgotten.any) await this.#history.dropForgotten();
    // Stopped while it recovered: another engine may have the archive by now.
    if (this.#stopped) return report;
    for (const link of this.links.values()) link.start();
    this.#upkeep.start();
    this.#started = true;
    return report;
  }

  /** What runs ends; nothing is half-done that a start would not put right. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const { store, archive } = this.#options;
    await this.#upkeep.stop();
    this.#census.close();
    const ended = await Promise.all([...this.links.values()].map((link) => link.stop()));
    if (ended.every(Boolean)) {
      await archive.sync([...store.heads.values()].map((head) => head.key));
      noteCleanStop(store);
    }
    await store.flush({ durable: true });
  }

  /** Whether every machine that can be written to is known to hold every head that is meant for it, and nobody is looking for more. */
  settled(): boolean {
    return this.inSync() && [...this.links.values()].every((link) => !link.writable || !link.isScanning);
  }

  /** As `settled`, but looking again at what was looked at before does not count: machines that are polled are looked at all the time. */
  inSync(): boolean {
    if (!this.#started || this.#stopped) return false;
    for (const link of this.links.values()) {
      if (link.undecided) return false;
      if (!link.writable) continue;
      if (!link.isIdle || !link.isLookedAt) return false;
    }
    for (const link of this.links.values()) if (link.writable && this.counts(link).behind > 0) return false;
    return true;
  }

  /** How many lines of the prompt history belong to a session. */
  async historyLinesOf(session: string): Promise<number> {
    let count = 0;
    for (const key of this.#options.store.heads.withPrefix('history/')) {
      const head = this.#options.store.heads.get(key);
      if (head?.kind !== 'file') continue;
      for await (const line of readLines(this.#options.archive.read(key, 0, head.size))) {
        if (line.bytes?.includes(`"${session}"`)) count += 1;
      }
    }
    return count;
  }

  /** The hub's time. */
  now(): UnixMs {
    return this.#options.clock.now();
  }

  /** How the keys stand on a machine. */
  counts(link: MachineLink): StandingCounts {
    return this.holdings(link).counts;
  }

  /** What a machine holds and how its keys stand. */
  holdings(link: MachineLink): Holdings {
    return this.#census.of(link.name, link.heldKeys.keys());
  }

  /** Resolves with `true` when settled, with `false` after `timeoutMs`. Scans everything first. */
  async wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    const deadline = clock.now() + timeoutMs;
    await Promise.race([this.scanAll(), this.#sleepUntil(deadline)]);
    for (;;) {
      if (this.settled()) return true;
      if (this.#stopped || signal?.aborted || clock.now() >= deadline) return false;
      this.#notePaired();
      await new Promise<void>((resolve) => {
        const cancel = clock.after(Math.min(250, Math.max(1, deadline - clock.now())), done);
        const waiters = this.#waiters;
        function done(): void {
          cancel();
          waiters.delete(done);
          resolve();
        }
        waiters.add(done);
      });
    }
  }

  /** Looks at everything on every machine that can be reached. */
  async scanAll(only?: MachineName): Promise<void> {
    const links = only === undefined ? [...this.links.values()] : [this.links.get(only)];
    await Promise.all(links.map(async (link) => link?.scanNow()));
  }

  #changed(): void {
    this.#notePaired();
    this.#options.onChange?.();
    for (const waiter of [...this.#waiters]) waiter();
  }

  #notePaired(): void {
    for (const link of this.links.values()) link.notePaired();
  }

  #sleepUntil(deadline: UnixMs): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => void clock.after(Math.max(0, deadline - clock.now()), resolve));
  }

  #context(): EngineContext {
    const { store, archive, clock, random, rules, settings } = this.#options;
    const guards = this.#options.guards ?? ALL_GUARDS;
    const tell = this.#options.onEvent ?? ((): void => undefined);
    return {
      store,
      archive,
      clock,
      random,
      rules,
      settings,
      guards,
      lock: new KeyLock(),
      sentLines: new SentLines(),
      machine: (name) => this.links.get(name),
      machines: () => this.links.values(),
      headChanged: (key, source, isNews = true) => {
        this.#headsChanged([key], source);
        if (source !== null && isNews) this.#taken([key], source);
        this.#options.onChange?.();
      },
      headsChanged: (keys, source) => {
        this.#headsChanged(keys, source);
        this.#taken(keys, source);
        this.#options.onChange?.();
      },
      generation: (key) => this.#generations.get(key) ?? 0,
      newGeneration: (key) => {
        this.#generations.set(key, (this.#generations.get(key) ?? 0) + 1);
        store.heads.putSegments(key, null);
        // Other content took the place of a damaged document. A conversation is healed by the comparison only: its lines may come from there.
        if (rules.ofKey(key).merge !== 'log') this.damage.clear(key);
      },
      headSeenAt: (key) => this.#seenAt.get(key) ?? null,
      noteHeadSeen: (key, at) => this.#noteSeen(key, at),
      makeDurable: async (keys) => {
        if (!guards.on('durable-before-destructive')) return;
        await archive.sync(keys);
        await store.flush({ durable: true });
      },
      isForgotten: (key) => this.forgotten.has(key),
      hasForgotten: () => this.forgotten.any,
      isDamaged: (key) => this.damage.has(key),
      archiveDamaged: (key) => this.#upkeep.mend(key),
      noteFork: (session, fork) => {
        this.forgotten.noteFork(session, fork);
        this.placement.inherit(fork, session);
      },
      logged: (line) => {
        const row = { ...line, at: clock.now() };
        store.syncLog.add(row);
        tell({ kind: 'logged', row });
      },
      tell,
    };
  }

  #taken(keys: readonly Key[], source: MachineName): void {
    this.links.get(source)?.noteSync();
    for (const key of keys) this.#ctx.tell({ kind: 'taken', machine: source, key });
  }

  #headsChanged(keys: readonly Key[], source: MachineName | null): void {
    for (const link of this.links.values()) {
      if (link.name === source || !link.writable) continue;
      link.queue.markAll(keys, { urgent: true });
      for (const key of keys) this.#bringBackWhole(link, key);
    }
  }

  /** New records bring an evicted session back whole. */
  #bringBackWhole(link: MachineLink, key: Key): void {
    const session = sessionOf(key);
    const transcript: Key = `session/${session ?? ''}`;
    if (session === null || key === transcript) return;
    const pair = link.pair(transcript);
    if (pair === undefined || pair.evictedSeq === null) return;
    this.#options.store.pairs.put({ ...pair, evictedSeq: -1 });
    link.queue.mark(transcript, { look: true });
  }

  #noteSeen(key: Key, at: UnixMs): void {
    this.#seenAt.delete(key);
    this.#seenAt.set(key, at);
    if (this.#seenAt.size > SEEN_KEPT)
      for (const oldest of this.#seenAt.keys()) return void this.#seenAt.delete(oldest);
  }
}
