import { parseEntry, projectLine } from '../../../core/history/entry.ts';
import { damageOf } from '../../../core/log/fragment.ts';
import type { MachineName, UnixMs } from '../../../core/domain.ts';
import { keepTorn } from '../logs/broken-lines.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { once } from '../excerpt.ts';
import { HISTORY, joined, NEWLINE, ownKey, readWholeLines, type WholeLine } from './lines.ts';
import { LogHeads } from '../logs/heads.ts';
import type { Placement } from '../places/placement.ts';

/** Up to where each origin's lines are in a machine's file: bytes of that origin's head. */
export type Origins = Readonly<Record<MachineName, number>>;

/**
 * The hub's side of the prompt history: each machine's own lines, raw, in a head of their own (`history/<machine>`), so that their
 * origin is never in doubt, and what of them a machine has not got yet, as it is to stand there. Identity of a line is what Claude
 * takes for it, so no line is entered twice (docs/sync.md section 4).
 */
export class HistoryHeads {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #placement: Placement;
  /** Identities of all lines, loaded on first use. */
  #known: Promise<Set<string>> | null = null;

  constructor(ctx: EngineContext, placement: Placement) {
    this.#ctx = ctx;
    this.#placement = placement;
    this.#heads = new LogHeads(ctx);
  }

  /**
   * Enters the lines that are not known yet as `machine`'s own. Call with the lock of `history` held.
   * @param alongside runs in the turn of the commit, also when there is nothing new.
   * @returns the lines that were new.
   */
  async enter(
    machine: MachineName,
    lines: readonly WholeLine[],
    seenAt: UnixMs,
    alongside: () => void = () => {},
  ): Promise<readonly WholeLine[]> {
    const known = await this.#identities();
    const fresh = lines.filter((line) => !known.has(parseEntry(line.bytes).identity));
    if (fresh.length === 0) {
      alongside();
      return fresh;
    }
    await this.#heads.append(ownKey(machine), once(joined(fresh)), { origin: machine, mtimeMs: seenAt, seenAt }, () => {
      for (const line of fresh) known.add(parseEntry(line.bytes).identity);
      this.#bump(machine, seenAt);
      alongside();
    });
    return fresh;
  }

  /**
   * Lines (with their newlines) that this machine has not got yet, as they are to stand there, and the cursor after them.
   * With `present`, lines whose identity is in it are left out, own lines included; without, the machine's own are all there.
   */
  async undelivered(
    machine: MachineView,
    delivered: Origins,
    present?: ReadonlySet<string>,
  ): Promise<{ lines: Buffer[]; origins: Origins }> {
    const lines: Buffer[] = [];
    const origins: Record<MachineName, number> = {};
    for (const origin of this.#names()) {
      const size = this.#heads.present(ownKey(origin))?.size ?? 0;
      const from = origin === machine.name && !present ? size : (delivered[origin] ?? 0);
      origins[origin] = size;
      if (from >= size) continue;
      for (const line of await readWholeLines(this.#ctx.archive.read(ownKey(origin), from, size))) {
        if (present?.has(parseEntry(line.bytes).identity) || this.isForgotten(line.bytes)) continue;
        lines.push(await this.#asItStandsOn(machine, origin, line.bytes));
      }
    }
    return { lines, origins };
  }

  /**
   * Leaves out what an append of the hub to this machine's file became when something went wrong in the middle of it (disk full, power
   * gone): pieces of lines, and lines behind a torn tail. They are nobody's prompts; whole they come again.
   */
  async withoutBroken(machine: MachineView, lines: readonly WholeLine[]): Promise<readonly WholeLine[]> {
    if (!this.#ctx.guards.on('own-pieces')) return lines;
    const suspects = lines.filter((line) => line.bytes.length > 0 && parseEntry(line.bytes).timestampMs === null);
    if (suspects.length === 0) return lines;
    const whole = (await this.undelivered(machine, {}, new Set())).lines.map((line) => line.subarray(0, -1));
    const broken = new Set<WholeLine>();
    for (const line of suspects) {
      const damage = whole.map((head) => damageOf(line.bytes, head)).find((found) => found !== null);
      if (damage === undefined) continue;
      broken.add(line);
      if (damage === 'spliced') await keepTorn(this.#ctx, { machine: machine.name, key: HISTORY }, line.bytes);
    }
    return lines.filter((line) => !broken.has(line));
  }

  /** Whether a file with these lines lacks nothing that any machine has. */
  async isWhole(lines: readonly WholeLine[]): Promise<boolean> {
    const present = new Set(lines.map((line) => parseEntry(line.bytes).identity));
    for (const identity of await this.#identities()) if (!present.has(identity)) return false;
    return true;
  }

  /** Whether a line belongs to a session that the user had forgotten. */
  isForgotten(line: Buffer): boolean {
    const { session } = parseEntry(line);
    return session !== null && this.#ctx.isForgotten(`session/${session}`);
  }

  /** Sizes of all heads, by origin. */
  origins(): Origins {
    return Object.fromEntries(this.#names().map((name) => [name, this.#heads.present(ownKey(name))?.size ?? 0]));
  }

  /** The number of the history's head when nothing is undelivered, else 0. */
  levelSeq(origins: Origins): number {
    const all = Object.entries(this.origins()).every(([name, size]) => (origins[name] ?? 0) >= size);
    return all ? (this.#ctx.store.heads.get(HISTORY)?.seq ?? 0) : 0;
  }

  /**
   * Takes the prompts of forgotten sessions out of the heads, and has every machine's file written anew without them. Asked for
   * after a `forget`, and at the start, because a crash may have come in between.
   */
  async dropForgotten(): Promise<void> {
    const { archive, lock, store, clock } = this.#ctx;
    await lock.with(HISTORY, async () => {
      const now = clock.now();
      let dropped = false;
      for (const origin of this.#names()) {
        const head = this.#heads.present(ownKey(origin));
        if (!head) continue;
        const lines = await readWholeLines(archive.read(head.key, 0, head.size));
        const kept = lines.filter((line) => !this.isForgotten(line.bytes));
        if (kept.length === lines.length) continue;
        await this.#heads.replace(
          head.key,
          once(joined(kept)),
          { origin, mtimeMs: head.mtimeMs, seenAt: now },
          () => {},
        );
        this.#bump(origin, now);
        dropped = true;
        this.#ctx.newGeneration(HISTORY);
      }
      if (!dropped) return;
      this.#known = null;
      for (const pair of store.pairs.ofKey(HISTORY)) {
        if (!pair.base?.cursor) continue;
        store.pairs.put({
          ...pair,
          base: { ...pair.base, seq: 0, cursor: { ...pair.base.cursor, cut: true, origins: {} } },
        });
      }
    });
    this.#ctx.headChanged(HISTORY, null);
  }

  async #asItStandsOn(machine: MachineView, origin: MachineName, line: Buffer): Promise<Buffer> {
    const { project } = parseEntry(line);
    const path = project === null ? null : await this.#placement.projectPath(origin, project, machine);
    return Buffer.concat([path === null || path === project ? line : projectLine(line, path), NEWLINE]);
  }

  #identities(): Promise<Set<string>> {
    if (this.#known === null) {
      const loading = this.#load();
      this.#known = loading;
      // A disk that failed once must not fail the history until the next start.
      loading.catch(() => (this.#known = null));
    }
    return this.#known;
  }

  async #load(): Promise<Set<string>> {
    const known = new Set<string>();
    for (const origin of this.#names()) {
      const head = this.#heads.present(ownKey(origin));
      if (!head) continue;
      for (const line of await readWholeLines(this.#ctx.archive.read(head.key, 0, head.size)))
        known.add(parseEntry(line.bytes).identity);
    }
    return known;
  }

  #names(): MachineName[] {
    return this.#ctx.store.heads
      .withPrefix('history/')
      .map((key) => decodeURIComponent(key.slice('history/'.length)))
      .sort();
  }

  /** Counts a change, so that everybody's level can be told. */
  #bump(origin: MachineName, at: UnixMs): void {
    const size = Object.values(this.origins()).reduce((sum, bytes) => sum + bytes, 0);
    this.#ctx.store.heads.put({
      key: HISTORY,
      seq: this.#ctx.store.nextSeq(),
      kind: 'file',
      size,
      hash: null,
      mtimeMs: at,
      executable: false,
      origin,
    });
    this.#ctx.noteHeadSeen(HISTORY, at);
  }
}
