import { keyForSession, parsePath } from '../../../core/keys/key.ts';
import type { Verdict } from '../../../core/safeguards/verdict.ts';
import type { Head, Key, MachineName, MachineOs, Pair, RelativePath, UnixMs } from '../../../core/domain.ts';
import { ClaudeFolderMissing } from '../../replica/claude-folder.ts';
import { OtherHubPresent } from '../../replica/hub-mark.ts';
import { ReplicaFull, ReplicaUnreachable, type Replica } from '../../replica/replica.ts';
import type { MachineRow } from '../../store/store.ts';
import type { Delivery, EngineContext, MachineSettings, MachineView } from '../context.ts';
import { Hints } from './hints.ts';
import { LatencyWindow } from './latency.ts';
import { standing, type Standing } from '../level.ts';
import { MarkRenewal } from './mark-renewal.ts';
import { MachineSafeguards } from './safeguards.ts';
import { ScanLoop } from './scan-loop.ts';
import type { MachineScan } from './scan.ts';
import { Swaps } from './swaps.ts';
import { TreeIdentity } from './tree-identity.ts';
import type { Together } from '../together/together.ts';
import { WorkQueue, type INTERRUPTED, type Mark } from '../work-queue.ts';

/** Work on this many keys at once; more does not make one disk faster. */
const CONCURRENCY = 12;
const LIVE_CACHE_MS = 1_000;
/** Once something was forgotten, a prompt history that was put aside is kept for this long only. */
const HISTORY_UNDO_MS = 60_000;
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000] as const;
/** While another hub syncs the folder, its mark is looked at this often. */
const OTHER_HUB_MS = 5_000;
const OFFLINE_AFTER_MS = 300_000;
/** Longest wait for work under way when the hub stops. */
const STOP_MS = 3_000;
/** A stopped machine is looked at this often for what has to be kept. */
const KEEP_EVERY_MS = 15_000;
/** A request of a lost connection is carried out within this time or never. */
const ECHO_MS = 600_000;
/** Offsets of clocks below this are taken for none. */
const CLOCK_NOISE_MS = 1_000;
const UNDO_KEPT_MS = 24 * 3_600_000;
/** The scan that answers a trouble of the watcher does not end it: the user is told at least until the next one. */
const WATCH_TROUBLE_TOLD_MS = 1_000;

/** What the link needs from the engine. */
export interface MachineLinkOptions {
  readonly ctx: EngineContext;
  readonly replica: Replica;
  readonly settings: MachineSettings;
  readonly run: (machine: MachineView, key: Key, mark: Required<Mark>) => Promise<void | typeof INTERRUPTED>;
  readonly together: Pick<Together, 'canTake' | 'run'>;
  readonly scan: MachineScan;
  /** Something that `status` shows changed. */
  readonly onChange: () => void;
  readonly onPaired: () => void;
  readonly onTrouble: (error: Error) => void;
}

/**
 * One machine: its connection, its watcher, its queue of keys, and what stops it. Everything here is about *this* machine; a link
 * that fails or hangs holds up no other.
 */
export class MachineLink implements MachineView {
  readonly name: MachineName;
  readonly replica: Replica;
  readonly queue: WorkQueue;
  readonly notices = new Map<RelativePath, string>();
  readonly heldKeys = new Map<Key, string>();
  readonly latency = new LatencyWindow();
  readonly hints: Hints;
  readonly safeguards: MachineSafeguards;
  settings: MachineSettings;
  clockOffsetMs = 0;
  pairing = false;
  /** Of transfers that have not ended: they count as sent or received when their files are done. */
  bytesUnderWay = 0;
  readonly #ctx: EngineContext;
  readonly #scan: MachineScan;
  readonly #options: MachineLinkOptions;
  readonly #changes = new Map<Key, UnixMs>();
  #connected = false;
  #isConnecting = false;
  /** Somebody wanted to connect while a try was under way; it counts when that one ends without a connection. */
  #isConnectDue = false;
  #connectedAt: UnixMs | null = null;
  #stopped = true;
  #failures = 0;
  /** The first try to connect has not ended: whether this machine can be written to is not known yet. */
  #undecided = true;
  /** How often it was out of reach, paused or in quarantine, and that number when the last whole scan began. */
  #absences = 0;
  #lookedAt = -1;
  readonly #renewal: MarkRenewal;
  #otherHub = false;
  #reason: string | null = null;
  #downSince: UnixMs | null = null;
  #cancelRetry: (() => void) | null = null;
  #cancelKeeping: (() => void) | null = null;
  readonly #swaps: Swaps;
  #live: { at: UnixMs; sessions: ReadonlySet<string> } | null = null;
  #watchTroubleAt: UnixMs | null = null;
  readonly #identity: TreeIdentity;
  readonly #scans: ScanLoop;

  constructor(options: MachineLinkOptions) {
    this.#options = options;
    this.#ctx = options.ctx;
    this.#scan = options.scan;
    this.replica = options.replica;
    this.name = options.replica.machine;
    this.settings = options.settings;
    this.safeguards = new MachineSafeguards(options.ctx.guards);
    this.#identity = new TreeIdentity({
      ctx: options.ctx,
      replica: options.replica,
      safeguards: this.safeguards,
      row: () => this.row,
      onVerdict: (verdict) => this.putInQuarantine(verdict),
    });
    this.#scans = new ScanLoop({
      clock: options.ctx.clock,
      everyMs: () => options.ctx.settings.scanSeconds * 1_000,
      canScan: () => this.#connected && !this.paused && this.quarantine === null,
      scan: () => this.#scanOnce(),
      onEnd: () => this.#changed(),
      onTrouble: (error) => this.#trouble(error),
    });
    this.#swaps = new Swaps(options.ctx.clock, () => {
      if (this.writable) void this.#scan.takeLateWrites(this).catch((error: unknown) => this.#trouble(error));
    });
    this.hints = new Hints({
      clock: options.ctx.clock,
      isWritable: () => this.writable,
      hinted: (hint) => this.#scan.hinted(this, hint),
      lookAtEchoes: (paths) => this.#scan.lookAtEchoes(this, paths),
      scan: () => this.#scans.soon(),
      onEnd: () => {
        if (this.isQuiet) this.#changed();
      },
      onTrouble: (error) => this.#trouble(error),
    });
    options.replica.onLost?.((error) => this.lost(error));
    options.replica.onProgress?.((bytes) => {
      this.bytesUnderWay = bytes;
      this.#changed();
    });
    this.#renewal = new MarkRenewal(
      options.ctx.clock,
      async () => {
        await this.replica.renewHubMark();
        options.ctx.store.machines.put({ ...this.row, lastSeenAt: options.ctx.clock.now() });
      },
      (error) => this.#trouble(error),
    );
    this.queue = new WorkQueue({
      clock: options.ctx.clock,
      concurrency: CONCURRENCY,
      run: (key, mark) => options.run(this, key, mark),
      together: {
        get most() {
          return options.replica.manyAtOnce;
        },
        canTake: (key) => options.together.canTake(this, key),
        run: (keys, waiting) => options.together.run(this, keys, waiting),
      },
      onTrouble: (error) => {
        options.onTrouble(error);
        this.lost(new ReplicaUnreachable(options.replica.machine, error.message, error));
      },
      onIdle: () => {
        if (this.writable) void this.#scan.retryUnplaced(this).catch((error: unknown) => this.#trouble(error));
        this.#changed();
      },
    });
  }

  get os(): MachineOs {
    return this.replica.os;
  }

  /** The row of `machine_status`; made on first use. */
  get row(): MachineRow {
    const known = this.#ctx.store.machines.get(this.name);
    if (known) return known;
    const row: MachineRow = {
      name: this.name,
      replicaId: null,
      claudeDir: null,
      home: null,
      os: null,
      status: 'offline',
      reason: null,
      lastSeenAt: null,
      lastSyncAt: null,
      paused: false,
      quarantine: null,
      paired: false,
      connectionEpoch: 0,
    };
    this.#ctx.store.machines.put(row);
    return row;
  }

  get paused(): boolean {
    return this.settings.paused || this.row.paused;
  }

  get quarantine(): string | null {
    return this.row.quarantine;
  }

  /** Whether it is not known yet if this machine can be reached. */
  get undecided(): boolean {
    return this.#undecided && !this.#stopped && !this.paused && this.quarantine === null;
  }

  /** Whether another hub syncs its folder: this one keeps out of it, and goes on by itself when the other is gone. */
  get otherHub(): boolean {
    return this.#otherHub;
  }

  /** Connects now instead of at the next try. */
  tryAgain(): void {
    if (this.#connected || this.#stopped) return;
    this.#cancelRetry?.();
    this.#undecided = true;
    void this.#connect();
  }

  get connected(): boolean {
    return this.#connected;
  }

  get writable(): boolean {
    return this.#connected && !this.#stopped && !this.paused && this.quarantine === null;
  }

  /** Status as product users see it, with the reason for anything but `online`. */
  get status(): { status: MachineRow['status']; reason: string | null } {
    if (this.quarantine !== null) return { status: 'quarantined', reason: this.quarantine };
    if (this.paused) return { status: 'paused', reason: 'paused: neither read nor written' };
    if (this.#otherHub) return { status: 'quarantined', reason: this.#reason };
    if (this.#connected) return { status: 'online', reason: this.#reason };
    const down = this.#downSince === null ? 0 : this.#ctx.clock.now() - this.#downSince;
    return { status: down >= OFFLINE_AFTER_MS ? 'offline' : 'degraded', reason: this.#reason ?? 'not connected yet' };
  }

  /** Whether nothing is queued, planned, listed or on its way. */
  get isQuiet(): boolean {
    return this.isIdle && !this.isScanning;
  }

  /** Whether nothing that is known is queued, planned or on its way. */
  get isIdle(): boolean {
    return this.queue.busy === 0 && this.queue.settling === 0 && this.hints.isQuiet;
  }

  /** Whether its tree is being listed. */
  get isScanning(): boolean {
    return this.#scans.running !== null;
  }

  start(): void {
    this.#stopped = false;
    this.#undecided = true;
    this.#downSince = this.#ctx.clock.now();
    void this.#connect();
    void this.#keepWhileStopped();
  }

  /** @returns whether all work under way has ended; a machine that hangs is left after `STOP_MS`. */
  async stop(): Promise<boolean> {
    const hadMark = this.#connected;
    this.#stopped = true;
    this.#connected = false;
    this.#renewal.stop();
    this.queue.stop();
    this.queue.clear();
    this.#cancelRetry?.();
    this.#scans.stop();
    this.#cancelKeeping?.();
    const ended = await this.#soon(Promise.all([this.queue.drained(), this.#scans.running]));
    // With work still under way no other hub may begin; the mark grows old by itself.
    if (hadMark && ended) await this.#soon(this.replica.withdrawHubMark());
    await this.replica.close();
    return ended;
  }

  /** Whether it came to a good end within `STOP_MS`. */
  #soon(work: Promise<unknown>): Promise<boolean> {
    return Promise.race([
      work.then(
        () => true,
        () => false,
      ),
      new Promise<boolean>((resolve) => void this.#ctx.clock.after(STOP_MS, () => resolve(false))),
    ]);
  }

  /** Scans now; a scan that is under way is followed by another one. */
  scanNow(): Promise<void> {
    return this.#scans.now();
  }

  /** Whether everything has been listed since it was out of reach, paused or in quarantine. */
  get isLookedAt(): boolean {
    return this.#lookedAt === this.#absences;
  }

  /** End of the last whole scan, `null` before the first. */
  get lastScanAt(): UnixMs | null {
    return this.#scans.lastAt;
  }

  setPaused(paused: boolean): void {
    this.#ctx.store.machines.put({ ...this.row, paused });
    this.settingsChanged();
  }

  /** Applies what a change of settings, pause or quarantine means for the queue. */
  settingsChanged(): void {
    if (this.paused || this.quarantine !== null) {
      this.#absences += 1;
      this.queue.stop();
      this.queue.clear();
    } else if (this.#connected) {
      this.queue.start();
      this.#scans.soon();
    } else if (!this.#stopped && this.#cancelRetry === null) {
      void this.#connect();
    }
    this.#changed();
  }

  /** Stops this machine until the user says how to go on. */
  putInQuarantine(verdict: NonNullable<Verdict>): void {
    if (this.quarantine !== null) return;
    this.#ctx.store.machines.put({ ...this.row, quarantine: verdict.reason });
    this.#ctx.logged({
      key: '',
      source: this.name,
      target: null,
      action: 'refuse',
      outcome: 'refused',
      bytes: 0,
      durationMs: 0,
      detail: `${verdict.code}: ${verdict.reason}`,
    });
    this.settingsChanged();
    void this.#keepWhileStopped();
  }

  /** A stopped machine is still read, into versions, for as long as it is stopped. */
  async #keepWhileStopped(): Promise<void> {
    this.#cancelKeeping?.();
    if (this.#stopped || this.quarantine === null) return;
    try {
      await this.#scan.keepAsVersions(this);
    } catch (error) {
      // It may be out of reach, or its folder be gone: that is why it was stopped. The next time may go better.
      this.#reason = error instanceof Error ? error.message : String(error);
    }
    if (this.#stopped || this.quarantine === null) return;
    this.#cancelKeeping = this.#ctx.clock.after(KEEP_EVERY_MS, () => void this.#keepWhileStopped());
  }

  /** Lifts the quarantine. With `refill` all bases are dropped, so that nothing that is missing counts as deleted. */
  release(mode: 'refill' | 'accept-deletes'): void {
    if (mode === 'refill') {
      for (const pair of [...this.#ctx.store.pairs.ofMachine(this.name)]) {
        this.#ctx.store.pairs.put({ ...pair, base: null, evictedSeq: null, state: 'ok', reason: null });
      }
    }
    this.safeguards.clear();
    // Whatever folder is there now is this machine's from here on: it gets its mark, a watch and a listing as on a first connect.
    this.#ctx.store.machines.put({ ...this.row, quarantine: null, replicaId: null });
    this.#acceptDeletes = mode === 'accept-deletes';
    this.#absences += 1;
    this.#connected = false;
    this.#undecided = true;
    this.settingsChanged();
  }
  #acceptDeletes = false;

  #told: string | null = null;

  /** Something that `status` shows changed. Called often; a status is told when it is another one. */
  #changed(): void {
    const { status, reason } = this.status;
    const now = `${status} ${reason ?? ''}`;
    if (now !== this.#told && !this.#undecided) {
      this.#told = now;
      this.#ctx.tell({ kind: 'connection', machine: this.name, status, reason });
    }
    this.#options.onChange();
  }

  // --- MachineView -----------------------------------------------------------------------------------------------------

  get mayEcho(): boolean {
    const since = this.#connectedAt;
    return this.replica.answersLate && since !== null && this.#ctx.clock.now() - since < ECHO_MS;
  }

  async isLive(session: string, fresh = false): Promise<boolean> {
    return (await this.liveSessions(fresh)).has(session);
  }

  /** Sessions that a CLI there has open; at most a second old unless `fresh`. */
  async liveSessions(fresh = false): Promise<ReadonlySet<string>> {
    const now = this.#ctx.clock.now();
    if (fresh || this.#live === null || now - this.#live.at > LIVE_CACHE_MS) {
      this.#live = { at: now, sessions: await this.replica.liveSessions(this.clockOffsetMs) };
    }
    return this.#live.sessions;
  }

  beginWriting(paths: ReadonlySet<RelativePath>): void {
    this.hints.ownWrites.begin(paths);
  }

  endWriting(paths: ReadonlySet<RelativePath>): void {
    this.hints.heardEchoes(this.hints.ownWrites.end(paths, this.#ctx.clock.now()));
  }

  isItself(): Promise<boolean> {
    return this.#identity.isItself();
  }

  changedAt(key: Key): UnixMs | null {
    return this.#changes.get(key) ?? null;
  }

  noteChange(key: Key): void {
    this.#changes.delete(key);
    this.#changes.set(key, this.#ctx.clock.now());
    if (this.#changes.size > 4_096) for (const oldest of this.#changes.keys()) return void this.#changes.delete(oldest);
  }

  noteDelivered({ key, bytes, isWhole }: Delivery): void {
    const now = this.#ctx.clock.now();
    const since = isWhole && !this.pairing ? this.#ctx.headSeenAt(key) : null;
    const latencyMs = since === null ? null : Math.max(0, now - since);
    if (latencyMs !== null) this.latency.note(latencyMs);
    this.noteSync();
    this.#ctx.tell({ kind: 'delivered', machine: this.name, key, bytes, latencyMs, isWhole });
  }

  /** Something was taken in from it, or brought to it. */
  noteSync(): void {
    this.#ctx.store.machines.put({ ...this.row, lastSyncAt: this.#ctx.clock.now() });
  }

  noteReceived(bytes: number): void {
    this.#ctx.tell({ kind: 'received', machine: this.name, bytes });
  }

  noteSuspicion(kind: 'lost-log' | 'back-in-time' | 'delete', key: Key): void {
    if (this.#acceptDeletes && kind === 'delete') return;
    const now = this.#ctx.clock.now();
    const pair = this.#ctx.store.pairs.get(this.name, key);
    const verdict =
      kind === 'delete'
        ? this.safeguards.deleting(key, now, this.filesKnown)
        : kind === 'back-in-time'
          ? this.safeguards.wentBack(key, now)
          : this.safeguards.lostLog({ key, before: pair?.base?.fileBytes ?? 0, now: 0 }, now);
    if (verdict) this.putInQuarantine(verdict);
  }

  pendingDelete(key: Key, pending: boolean): void {
    this.safeguards.pendingDelete(key, pending);
  }

  noteSwap(key: Key, forkKey: Key | null): void {
    this.#swaps.note(key, forkKey);
  }

  takeLateWrites(key: Key): Promise<void> {
    return this.#swaps.lookFirst(key, () => this.#scan.takeLateWrites(this));
  }

  swappedFork(key: Key): Key | null {
    return this.#swaps.forkOf(key);
  }

  /** Files the machine is known to hold. */
  get filesKnown(): number {
    return this.#identity.filesKnown;
  }

  // --- connection ------------------------------------------------------------------------------------------------------

  /** The connection is gone (or hung): everything waits, and is looked at again after the next connect. */
  lost(error: ReplicaUnreachable | OtherHubPresent): void {
    if (!this.#connected) return;
    this.#otherHub = error instanceof OtherHubPresent;
    this.#renewal.stop();
    this.#absences += 1;
    this.#connected = false;
    this.#undecided = false;
    this.#downSince = this.#ctx.clock.now();
    this.#reason = error.message;
    this.queue.stop();
    this.#retry();
    this.#changed();
  }

  /** One try at a time: a second one would make a second connection, and the first would be nobody's. */
  async #connect(): Promise<void> {
    this.#cancelRetry = null;
    if (this.#isConnecting) {
      this.#isConnectDue = true;
      return;
    }
    this.#isConnecting = true;
    this.#isConnectDue = false;
    await this.#connectOnce();
    this.#isConnecting = false;
    if (this.#isConnectDue) this.tryAgain();
  }

  async #connectOnce(): Promise<void> {
    if (this.#stopped || this.paused || this.quarantine !== null) return;
    const { store, clock } = this.#ctx;
    store.machines.put({ ...this.row, connectionEpoch: this.row.connectionEpoch + 1 });
    try {
      // Names of temps carry the epoch: it must never be given out twice, also not after a crash.
      await store.flush();
      await this.replica.connect();
      if (this.#stopped) return await this.replica.withdrawHubMark();
      const verdict = await this.#identity.identify();
      this.#connected = true;
      this.#otherHub = false;
      this.#renewal.start();
      this.#connectedAt = clock.now();
      this.#failures = 0;
      this.#reason = null;
      this.#downSince = null;
      store.machines.put({
        ...this.row,
        home: this.replica.home,
        os: this.replica.os,
        claudeDir: this.replica.claudeDir,
        lastSeenAt: clock.now(),
      });
      if (verdict) return this.putInQuarantine(verdict);
      await this.replica.watch(
        (hint) => {
          this.#ctx.tell({ kind: 'heard', machine: this.name, path: hint.path });
          this.hints.heard(hint);
        },
        (reason) => this.#onWatchTrouble(reason),
      );
      if (!this.row.paired) this.pairing = true;
      await this.scanNow();
      if (!this.#connected) return;
      // It may have been paused or stopped meanwhile.
      if (this.writable) this.queue.start();
      this.#undecided = false;
      this.#changed();
    } catch (error) {
      this.#connectFailed(error);
    }
  }

  #connectFailed(error: unknown): void {
    this.#connected = false;
    this.#undecided = false;
    this.#reason = error instanceof Error ? error.message : String(error);
    const isNews = !(error instanceof OtherHubPresent && this.#otherHub);
    this.#otherHub = error instanceof OtherHubPresent;
    if (error instanceof ClaudeFolderMissing && this.row.paired) {
      const verdict = this.#identity.missing();
      if (verdict) return this.putInQuarantine(verdict);
    }
    if (isNews && !(error instanceof ReplicaUnreachable))
      this.#options.onTrouble(error instanceof Error ? error : new Error(this.#reason));
    this.#retry();
    this.#changed();
  }

  #retry(): void {
    if (this.#stopped || this.#cancelRetry !== null) return;
    const ms = this.#otherHub ? OTHER_HUB_MS : (BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 60_000);
    this.#failures += 1;
    this.#cancelRetry = this.#ctx.clock.after(ms, () => void this.#connect());
  }

  // --- scans and hints -------------------------------------------------------------------------------------------------

  /** @returns whether the machine goes on: it is neither stopped nor lost. */
  async #scanOnce(): Promise<boolean> {
    const startedAt = this.#ctx.clock.now();
    const absences = this.#absences;
    try {
      await this.#measureClock();
      const verdict = await this.#scan.full(this, this.#acceptDeletes);
      if (verdict) {
        this.putInQuarantine(verdict);
        return false;
      }
      await this.#scan.takeLateWrites(this);
      await this.#dropForgottenUndo();
      await this.replica.expireUndo(this.#ctx.clock.now() - UNDO_KEPT_MS, (path) => this.#isOpen(path));
    } catch (error) {
      // Whatever it was: what is known about this machine is known no more. Connecting anew tells what is the matter.
      if (!(error instanceof ReplicaUnreachable))
        this.#options.onTrouble(error instanceof Error ? error : new Error(String(error)));
      const reason = error instanceof Error ? error.message : String(error);
      this.lost(error instanceof ReplicaUnreachable ? error : new ReplicaUnreachable(this.name, reason, error));
      return false;
    }
    this.#lookedAt = absences;
    this.#forgetWatchTrouble(startedAt);
    return true;
  }

  /** What was put aside of forgotten sessions goes, and prompt histories that still had their prompts, as soon as no late writer is left. */
  async #dropForgottenUndo(): Promise<void> {
    if (!this.#ctx.hasForgotten()) return;
    const before = this.#ctx.clock.now() - HISTORY_UNDO_MS;
    await this.replica.dropUndo((path, at) => {
      const place = parsePath(path);
      if (place.kind === 'history') return at < before;
      return (
        (place.kind === 'transcript' || place.kind === 'session-file') &&
        this.#ctx.isForgotten(keyForSession(place.session))
      );
    });
  }

  /** What went unnoticed has been seen by a scan that began after the trouble: it is no reason to worry any more. */
  #forgetWatchTrouble(scanStartedAt: UnixMs): void {
    if (this.#watchTroubleAt === null || scanStartedAt - this.#watchTroubleAt < WATCH_TROUBLE_TOLD_MS) return;
    this.#watchTroubleAt = null;
    this.#reason = null;
  }

  /** On a full disk the clock cannot be asked: the last answer stays, and the machine is read all the same. */
  async #measureClock(): Promise<void> {
    try {
      const offset = await this.replica.clockOffset();
      // Small differences are the measurement's own.
      this.clockOffsetMs = Math.abs(offset) < CLOCK_NOISE_MS ? 0 : offset;
    } catch (error) {
      if (!(error instanceof ReplicaFull)) throw error;
      this.#options.onTrouble(error);
    }
  }

  /** Whether a session that this path belongs to was open at the last look. */
  #isOpen(path: RelativePath): boolean {
    for (const session of this.#live?.sessions ?? []) if (path.includes(session)) return true;
    return false;
  }

  #onWatchTrouble(reason: string): void {
    this.#reason = reason;
    this.#watchTroubleAt = this.#ctx.clock.now();
    this.#options.onTrouble(new Error(`${this.name}: ${reason}`));
    this.#scans.soon();
  }

  #trouble(error: unknown): void {
    if (error instanceof ReplicaUnreachable || error instanceof OtherHubPresent) this.lost(error);
    else this.#options.onTrouble(error instanceof Error ? error : new Error(String(error)));
  }

  /** The first pairing is complete when its first scan has been worked off. */
  notePaired(): void {
    if (this.#undecided || !this.isQuiet) return;
    this.#acceptDeletes = false;
    if (!this.pairing) return;
    this.pairing = false;
    this.#ctx.store.machines.put({ ...this.row, paired: true });
    this.#options.onPaired();
    // Memory folders found before their sessions belong to a project only now; and so much was written that the watcher may have lost events.
    this.#scans.soon();
  }

  /** Pairs whose copies lie below a folder (`''`: all; else with a trailing `/`). */
  *pairsBelow(below: string): IterableIterator<Pair> {
    // A new folder is scanned by itself: a first sync makes thousands, and must not go through all pairs for each.
    if (below !== '') yield* this.#ctx.store.pairs.belowPath(this.name, below);
    else yield* this.#ctx.store.pairs.ofMachine(this.name);
  }

  /** Where the copy of a key stands. */
  standing(head: Head, isLog: boolean): Standing {
    return standing(this.pair(head.key), head, isLog);
  }

  /** Why a key is not level, for the user. */
  reasonOf(key: Key): string | null {
    return this.pair(key)?.reason ?? null;
  }

  /** Copies on this machine that the hub could not take in, so that it has nothing of them. */
  *stuckWithoutHead(): IterableIterator<Pair> {
    const { store, rules } = this.#ctx;
    for (const pair of store.pairs.ofMachine(this.name)) {
      if (
        pair.state !== 'ok' &&
        !store.heads.get(pair.key) &&
        rules.ofKey(pair.key).allowed &&
        !rules.excludesKey(pair.key)
      )
        yield pair;
    }
  }

  /** What is stored about a key here, for the flows. */
  pair(key: Key): Pair | undefined {
    const stored = this.#ctx.store.pairs.get(this.name, key);
    const reason = this.heldKeys.get(key);
    if (stored || reason === undefined) return stored;
    return { machine: this.name, key, path: '', base: null, evictedSeq: null, state: 'held', reason };
  }
}
