import type { Sha256, UnixMs } from '../../../core/domain.ts';
import type { ContentDropper } from '../../archive/archive.ts';
import type { Store, VersionRow } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import type { Turn } from './recurring.ts';

const DAY_MS = 86_400_000;
/** Rows that are removed in one commit. */
const BATCH = 200;
/** Setting that holds the last report, so that `doctor` can tell it after a restart. */
const LAST_REPORT = 'retention.last';

/** How long earlier and losing contents are kept. */
export interface RetentionSettings {
  readonly keepDays: number;
  /** Upper limit for all kept contents together, uncompressed, each counted once. */
  readonly maxBytes: number;
}

/** What one turn of the retention did. */
export interface RetentionReport {
  readonly at: UnixMs;
  /** Versions that were removed because they were older than `keepDays`. */
  readonly expired: number;
  /** Younger versions that had to go because all of them together were over `maxBytes`. */
  readonly forced: number;
  /** Time of the youngest of `forced`; `null` when there is none. */
  readonly forcedUpTo: UnixMs | null;
  /** Contents whose file was removed, because nothing refers to them any more. */
  readonly contents: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** More than `maxBytes` is left, and none of it may be removed. */
  readonly stillOver: boolean;
}

/**
 * Removes versions that are older than `versions.keepDays`, and the oldest ones beyond `versions.maxBytes`. Never removed, whatever
 * the settings say:
 *
 * - the newest version of a key that has no current content: it is the only copy there is;
 * - what is the head, or what a machine was last level with: a merge with a machine that comes back needs it;
 * - what an open conflict or a waiting approval names;
 * - what was kept of a machine for as long as a safeguard stops it.
 *
 * In this order, so that a crash at any point loses nothing: the heads that outlive a version are made durable; the rows go; that is
 * made durable; the files of contents that nothing refers to go. A file that a crash left without a row goes in the next turn.
 */
export class Retention {
  readonly #ctx: EngineContext;
  readonly #settings: RetentionSettings;

  constructor(ctx: EngineContext, settings: RetentionSettings) {
    this.#ctx = ctx;
    this.#settings = settings;
  }

  /** One turn. @throws {StoreUnwritable} when the database cannot be written; nothing more is removed then. */
  async run(turn: Turn): Promise<void> {
    const { archive, clock, store } = this.#ctx;
    const bytesBefore = store.versions.totalBytes();
    // From here on, what somebody keeps again is left alone.
    const dropper = archive.dropContents();
    try {
      const removed = await this.#removeAll(turn, dropper);
      const bytesAfter = store.versions.totalBytes();
      const stillOver = bytesAfter > this.#settings.maxBytes;
      const report: RetentionReport = { at: clock.now(), ...removed, bytesBefore, bytesAfter, stillOver };
      store.setSetting(LAST_REPORT, JSON.stringify(report));
      if (report.expired + report.forced + report.contents > 0) this.#log(report);
    } finally {
      dropper.close();
    }
  }

  async #removeAll(
    turn: Turn,
    dropper: ContentDropper,
  ): Promise<Pick<RetentionReport, 'expired' | 'forced' | 'forcedUpTo' | 'contents'>> {
    const { clock, store } = this.#ctx;
    const { keepDays, maxBytes } = this.#settings;
    const cutoff = clock.now() - keepDays * DAY_MS;
    let forcedUpTo: UnixMs | null = null;
    // What is current has to be as safe as what goes.
    await this.#ctx.makeDurable([...store.heads.values()].filter(({ kind }) => kind === 'file').map(({ key }) => key));
    const expired = await this.#remove(turn, (row) => row.at < cutoff);
    const forced = await this.#remove(turn, (row) => {
      if (store.versions.totalBytes() <= maxBytes) return false;
      forcedUpTo = row.at;
      return true;
    });
    return { expired, forced, forcedUpTo, contents: await this.#dropUnreferred(turn, dropper, cutoff) };
  }

  /** Goes through all versions, oldest first, and removes what nothing protects up to the first that is not due. */
  async #remove(turn: Turn, isDue: (row: VersionRow) => boolean): Promise<number> {
    const { store } = this.#ctx;
    let removed = 0;
    let decisions = contentsUnderDecision(store, Infinity);
    for (const row of store.versions.all()) {
      if (turn.stopped()) break;
      if (this.#isNeeded(row, decisions)) continue;
      if (!isDue(row)) break;
      store.versions.delete(row.key, row.version);
      removed += 1;
      if (removed % BATCH !== 0) continue;
      await store.flush({ durable: true });
      decisions = contentsUnderDecision(store, Infinity);
    }
    await store.flush({ durable: true });
    return removed;
  }

  #isNeeded(row: VersionRow, decisions: ReadonlySet<Sha256>): boolean {
    const { store } = this.#ctx;
    const head = store.heads.get(row.key);
    if (head?.hash === row.sha256 || decisions.has(row.sha256)) return true;
    if (head?.kind !== 'file' && store.versions.list(row.key)[0]?.version === row.version) return true;
    if (row.reason === 'quarantined' && (store.machines.get(row.machine)?.quarantine ?? null) !== null) return true;
    return store.pairs.ofKey(row.key).some(({ base }) => base?.hash === row.sha256);
  }

  /** Removes the files of contents that no version names, and that nobody decides about or decided about lately. */
  async #dropUnreferred(turn: Turn, dropper: ContentDropper, cutoff: UnixMs): Promise<number> {
    const { archive, store } = this.#ctx;
    let dropped = 0;
    for await (const sha256 of archive.contents()) {
      if (turn.stopped()) break;
      if (store.versions.holds(sha256) || contentsUnderDecision(store, cutoff).has(sha256)) continue;
      if (await dropper.drop(sha256)) dropped += 1;
    }
    return dropped;
  }

  #log(report: RetentionReport): void {
    const { keepDays, maxBytes } = this.#settings;
    const forced = report.forced === 0 ? '' : `, ${report.forced} younger ones because of maxBytes ${maxBytes}`;
    this.#ctx.logged({
      key: '',
      source: null,
      target: null,
      action: 'prune',
      outcome: 'done',
      bytes: report.bytesBefore - report.bytesAfter,
      durationMs: this.#ctx.clock.now() - report.at,
      detail: `${report.expired} versions older than ${keepDays} days${forced}, ${report.contents} contents`,
    });
  }
}

/**
 * Contents that the user has to decide about, or decided about after `decidedSince` (a decision can be reversed). Some of them have no
 * version row of their own.
 */
function contentsUnderDecision(store: Store, decidedSince: UnixMs): Set<Sha256> {
  const found = new Set<Sha256 | null>();
  for (const conflict of store.conflicts.list()) {
    if (conflict.status !== 'open' && (conflict.resolvedAt ?? conflict.at) < decidedSince) continue;
    found.add(conflict.baseSha256);
    for (const side of conflict.sides) found.add(side.sha256);
  }
  for (const approval of store.approvals.list()) {
    if (approval.status === 'waiting' || approval.at >= decidedSince) found.add(approval.sha256);
  }
  found.delete(null);
  return found as Set<Sha256>;
}

/** What the last turn did; `null` before the first. */
export function lastRetention(store: Store): RetentionReport | null {
  const text = store.getSetting(LAST_REPORT);
  return text === null ? null : (JSON.parse(text) as RetentionReport);
}
