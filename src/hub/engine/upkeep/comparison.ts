import type { Head, Key, UnixMs } from '../../../core/domain.ts';
import { ArchiveDamaged } from '../../archive/archive.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { ReplicaUnreachable } from '../../replica/replica.ts';
import type { Store } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import { CopyCheck } from './copy-check.ts';
import type { Damage } from './damage.ts';
import { HashesAhead } from './hashes-ahead.ts';
import { checkHead, type HeadState } from './head-check.ts';
import { HeadHeal } from './head-heal.ts';
import { HISTORY } from '../history/lines.ts';
import type { MachineLink } from '../machines/link.ts';
import { Pace, TurnEnded } from './pace.ts';
import type { Turn } from './recurring.ts';

/** All contents are compared this often (docs/sync.md section 6). */
export const COMPARE_EVERY_MS = 6 * 3_600_000;
/** Never sooner after a start than this: there is enough to do then. */
export const COMPARE_FIRST_MS = 600_000;
/** As fast as the comparison reads at most: 1 GB in a minute, and a disk has ten times that for others. */
const BYTES_PER_SECOND = 16_000_000;

const LAST_REPORT = 'comparison.last';

/** What one comparison of all contents found. */
export interface ComparisonReport {
  readonly startedAt: UnixMs;
  readonly endedAt: UnixMs;
  /** Files of the archive and copies on machines that were read. */
  readonly heads: number;
  readonly copies: number;
  readonly bytes: number;
  /** Copies that had changed without a sign. */
  readonly silent: number;
  /** Heads that the hub's disk had damaged and that were mended. */
  readonly healed: number;
  /** Heads that are damaged still. */
  readonly damaged: number;
}

/** What the comparison needs from the engine. */
export interface ComparisonOptions {
  readonly ctx: EngineContext;
  readonly damage: Damage;
  readonly links: () => Iterable<MachineLink>;
}

/**
 * Reads everything there is, in the archive and on the machines, and compares it with what is believed of it. Disks forget and tools
 * put times back, and neither says so (docs/sync.md section 6).
 */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #heal: HeadHeal;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#heal = new HeadHeal(options.ctx);
  }

  /** One turn, from the first key to the last. A turn that the end of the hub cuts short is begun anew after the next start. */
  async run(turn: Turn): Promise<void> {
    try {
      await this.#run(turn);
    } catch (error) {
      if (!(error instanceof TurnEnded)) throw error;
    }
  }

  async #run(turn: Turn): Promise<void> {
    const { ctx, damage } = this.#options;
    const startedAt = ctx.clock.now();
    const isBusy = (): boolean => [...this.#options.links()].some((link) => link.writable && !link.isQuiet);
    const pace = new Pace({ clock: ctx.clock, turn, bytesPerSecond: BYTES_PER_SECOND, isBusy });
    const keys = [...ctx.store.heads.values()].map((head) => head.key);
    const copies = new CopyCheck(ctx, pace, new HashesAhead(ctx, keys));
    const found = { heads: 0, copies: 0, bytes: 0, silent: 0, healed: 0 };
    for (const key of keys) {
      await pace.spend(0);
      if (turn.stopped()) return;
      const head = ctx.store.heads.get(key);
      // The prompt history has a head of its own for the machines, and its lines in one file for each origin.
      if (head?.kind !== 'file' || key === 'history') continue;
      const state = await checkHead(ctx, head, pace);
      found.heads += 1;
      found.bytes += head.size;
      if (state.kind === 'damaged') {
        if (await this.#mended(head, state)) found.healed += 1;
        continue;
      }
      if (damage.clear(key)) this.#markEverywhere(head);
      if (state.kind !== 'sound') continue;
      for (const link of this.#options.links()) {
        const pair = ctx.store.pairs.get(link.name, key);
        if (!pair || !link.writable || turn.stopped()) continue;
        const copy = await this.#compare(copies, link, pair, head, state);
        if (copy === 'not-compared') continue;
        found.copies += 1;
        found.bytes += pair.base?.fileBytes ?? 0;
        if (copy === 'silent') found.silent += 1;
      }
    }
    for (const { key } of damage.values()) if (ctx.store.heads.get(key)?.kind !== 'file') damage.clear(key);
    const report: ComparisonReport = { startedAt, endedAt: ctx.clock.now(), ...found, damaged: damage.values().length };
    ctx.store.setSetting(LAST_REPORT, JSON.stringify(report));
  }

  /** One head that was found damaged while it was used: it is mended at once, or held back and named. */
  async mend(key: Key): Promise<void> {
    const head = this.#options.ctx.store.heads.get(key);
    if (head?.kind !== 'file' || key === HISTORY) return;
    const state = await checkHead(this.#options.ctx, head, unhurried(this.#options.ctx));
    if (state.kind === 'damaged') await this.#mended(head, state);
  }

  async #compare(
    copies: CopyCheck,
    link: MachineLink,
    pair: Parameters<CopyCheck['check']>[1],
    head: Head,
    state: Extract<HeadState, { kind: 'sound' }>,
  ): ReturnType<CopyCheck['check']> {
    try {
      return await copies.check(link, pair, head, state.segments);
    } catch (error) {
      if (!(error instanceof ReplicaUnreachable)) throw error;
      link.lost(error);
      return 'not-compared';
    }
  }

  async #mended(head: Head, state: Extract<HeadState, { kind: 'damaged' }>): Promise<boolean> {
    const { ctx, damage } = this.#options;
    const source = await this.#sourceOf(head, state);
    const isDone = source !== null && !(await this.#isStillDamaged(head));
    ctx.logged({
      key: head.key,
      source: null,
      target: null,
      action: 'heal',
      outcome: isDone ? 'done' : 'failed',
      bytes: head.size,
      durationMs: 0,
      detail: isDone ? `the hub's file was damaged; mended from ${source}` : `the hub's file is damaged: ${state.what}`,
    });
    if (!isDone) {
      damage.note({ key: head.key, at: ctx.clock.now(), what: state.what });
      return false;
    }
    damage.clear(head.key);
    this.#markEverywhere(head);
    return true;
  }

  /** Mends the head. @returns where the bytes came from; `null` when it could not be mended. */
  async #sourceOf(head: Head, state: Extract<HeadState, { kind: 'damaged' }>): Promise<string | null> {
    try {
      if (head.hash !== null) return await this.#heal.document(head);
      return (await this.#heal.log(head, state.ranges)) ?? (await this.#heal.wholeLog(head));
    } catch (error) {
      // More of the file than was found cannot be read: the next comparison knows more. The other files are compared all the same.
      if (error instanceof ArchiveDamaged || FileSystemError.is(error, 'io', 'denied', 'not-a-file')) return null;
      throw error;
    }
  }

  async #isStillDamaged(head: Head): Promise<boolean> {
    const { ctx } = this.#options;
    const now = ctx.store.heads.get(head.key);
    if (now?.kind !== 'file') return false;
    return (await checkHead(ctx, now, unhurried(ctx))).kind === 'damaged';
  }

  /** What was held back goes on. */
  #markEverywhere(head: Head): void {
    for (const link of this.#options.links()) if (link.writable) link.queue.mark(head.key, { look: true });
  }
}

/** No pace at all: one head that somebody waits for. */
function unhurried(ctx: EngineContext): Pace {
  return new Pace({ clock: ctx.clock, turn: { stopped: () => false }, bytesPerSecond: Infinity, isBusy: () => false });
}

/** What the last whole comparison found; `null` before the first. */
export function lastComparison(store: Store): ComparisonReport | null {
  const text = store.getSetting(LAST_REPORT);
  return text === null ? null : (JSON.parse(text) as ComparisonReport);
}

/** Time until the next comparison of a hub that starts now: a restart neither loses the rhythm nor puts it off. */
export function untilComparison(store: Store, now: UnixMs): number {
  const last = lastComparison(store);
  return Math.max(COMPARE_FIRST_MS, last === null ? 0 : last.endedAt + COMPARE_EVERY_MS - now);
}
