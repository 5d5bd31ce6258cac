import type { FileStat, Key, Pair, RelativePath } from '../../../core/domain.ts';
import { sessionOf, type EngineContext, type MachineView } from '../context.ts';
import type { LogIntake } from '../logs/intake.ts';
import { LEVEL, LOOK, notDone, settling, type Outcome } from '../outcome.ts';
import type { Placement } from '../places/placement.ts';
import { statOf } from '../logs/delivery.ts';
import { keepVersion } from '../keep-version.ts';

/** How often a move that waits for its session to end is thought of again. */
const LIVE_RECHECK_MS = 5_000;

/**
 * One copy of a session per machine. A copy that turns up in another folder is either the same file moved (`/cd`, a worktree), which
 * the other machines follow, or a second copy, which is merged and put aside (docs/sync.md section 5).
 */
export class Moves {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;
  readonly #logs: LogIntake;
  /** Where copies are to be moved when their sessions are not open, by machine and key. */
  readonly #wanted = new Map<string, RelativePath>();
  /** Second copies that wait to be merged and put aside. */
  readonly #extra = new Map<string, Set<RelativePath>>();

  constructor(options: { readonly ctx: EngineContext; readonly placement: Placement; readonly logs: LogIntake }) {
    this.#ctx = options.ctx;
    this.#placement = options.placement;
    this.#logs = options.logs;
  }

  /** Whether something is still to be moved or folded for this key. */
  concern(machine: MachineView, key: Key): boolean {
    const id = idOf(machine, key);
    return this.#wanted.has(id) || this.#extra.has(id);
  }

  /** A file for the key of `pair` is at another path than the known copy. */
  async foundElsewhere(machine: MachineView, pair: Pair, path: RelativePath, stat: FileStat): Promise<void> {
    const old = await machine.replica.look(pair.path);
    if (old.kind === 'file' && this.#ctx.guards.on('one-copy')) {
      const id = idOf(machine, pair.key);
      const paths = this.#extra.get(id) ?? new Set<RelativePath>();
      this.#extra.set(id, paths.add(path));
      machine.queue.mark(pair.key, { look: true });
      return;
    }
    if (old.kind !== 'absent') return;
    const moved = pair.base !== null && pair.base.fileBytes <= stat.size;
    this.#ctx.store.pairs.put({ ...pair, path, base: moved ? pair.base : null, state: 'ok', reason: null });
    machine.queue.mark(pair.key, { look: true });
    const session = sessionOf(pair.key);
    if (session === null || pair.key !== `session/${session}`) return;
    this.#placement.forgetSession(session);
    await this.#follow(machine, session);
  }

  /**
   * A transcript has grown where it lies. When that is not where its project is, its new lines may tell why: a file that was moved says
   * so in what is written to it afterwards. Then the others follow.
   */
  async noteGrowth(machine: MachineView, pair: Pair): Promise<void> {
    const session = sessionOf(pair.key);
    if (session === null || pair.key !== `session/${session}`) return;
    const before = await this.#placement.placeFor(machine, pair.key);
    if ('held' in before || before.path === pair.path) return;
    this.#placement.forgetSession(session);
    const after = await this.#placement.placeFor(machine, pair.key);
    if ('held' in after || after.path !== pair.path) return;
    await this.#follow(machine, session);
  }

  /**
   * Second copies join the head when the known copy has been taken in: what the CLI wrote into the one before it went on in the
   * other comes first. `null`: there are none.
   */
  async foldExtras(machine: MachineView, pair: Pair): Promise<Outcome | null> {
    const id = idOf(machine, pair.key);
    const paths = this.#extra.get(id);
    if (paths === undefined) return null;
    for (const path of paths) {
      const outcome = await this.#foldExtra(machine, pair, path);
      if (outcome.kind !== 'level') return outcome;
      paths.delete(path);
    }
    this.#extra.delete(id);
    return LOOK;
  }

  /** The move that is to be done before anything else is done for this key; `null`: none. */
  async settlePlace(machine: MachineView, pair: Pair): Promise<Outcome | null> {
    const id = idOf(machine, pair.key);
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) return null;
    if (wanted === pair.path || pair.base?.kind !== 'file') {
      this.#wanted.delete(id);
      return null;
    }
    const session = sessionOf(pair.key);
    if (session !== null && (await machine.isLive(session, true))) {
      machine.queue.again(pair.key, LIVE_RECHECK_MS, 'idle', { look: true });
      return null;
    }
    const outcome = await machine.replica.move(pair.path, wanted, { expect: statOf(pair.base) });
    if (outcome.kind === 'changed') {
      const target = await machine.replica.look(wanted);
      if (target.kind === 'file') this.#wanted.delete(id);
      return null;
    }
    if (outcome.kind !== 'done') return notDone(outcome);
    this.#wanted.delete(id);
    const now = this.#ctx.store.pairs.get(machine.name, pair.key) ?? pair;
    const { size: fileBytes, mtimeMs, inode } = outcome.stat;
    this.#ctx.store.pairs.put({ ...now, path: wanted, base: now.base && { ...now.base, fileBytes, mtimeMs, inode } });
    return LOOK;
  }

  /** The other machines follow a move, each in its own place for the project. */
  async #follow(source: MachineView, session: string): Promise<void> {
    const transcript: Key = `session/${session}`;
    for (const machine of this.#ctx.machines()) {
      if (machine.name === source.name) continue;
      const pair = this.#ctx.store.pairs.get(machine.name, transcript);
      if (pair?.base?.kind !== 'file') continue;
      const place = await this.#placement.placeFor(machine, transcript);
      if ('held' in place || place.path === pair.path) continue;
      const folder = place.path.split('/')[1] ?? '';
      for (const key of this.#ctx.store.heads.withPrefix(transcript)) {
        const copy = this.#ctx.store.pairs.get(machine.name, key);
        if (!copy) continue;
        const parts = copy.path.split('/');
        parts[1] = folder;
        this.#wanted.set(idOf(machine, key), parts.join('/'));
        machine.queue.mark(key, { look: true });
      }
    }
  }

  /** Lines of a second copy join the head, then the copy goes to undo. */
  async #foldExtra(machine: MachineView, pair: Pair, path: RelativePath): Promise<Outcome> {
    if (this.#isOwn(machine, pair.key, path)) return LEVEL;
    const look = await machine.replica.look(path);
    if (look.kind !== 'file') return LEVEL;
    const rule = this.#ctx.rules.ofKey(pair.key);
    const session = sessionOf(pair.key);
    if (session !== null && (await machine.isLive(session, true))) return settling(LIVE_RECHECK_MS);
    if (rule.merge === 'log') {
      if (await this.#logs.absorb(machine, pair.key, path, look.stat, rule)) this.#ctx.headChanged(pair.key, null);
    } else {
      await keepVersion(this.#ctx, machine.replica.read(path, 0, look.stat.size), {
        key: pair.key,
        machine: machine.name,
        reason: 'overwritten',
        executable: look.stat.executable,
        mtimeMs: look.stat.mtimeMs,
      });
    }
    await this.#ctx.makeDurable([pair.key]);
    if (this.#isOwn(machine, pair.key, path)) return LEVEL;
    const removed = await machine.replica.remove(path, { expect: look.stat });
    return removed.kind === 'done' ? LEVEL : notDone(removed);
  }

  /** Whether a path that was a second copy's is the only one's by now: the CLI took the other away meanwhile. */
  #isOwn(machine: MachineView, key: Key, path: RelativePath): boolean {
    return this.#ctx.store.pairs.get(machine.name, key)?.path === path;
  }
}

function idOf(machine: MachineView, key: Key): string {
  return `${machine.name}\n${key}`;
}
