import { parsePath, type PathIdentity } from '../../../core/keys/key.ts';
import { unsafeReason } from '../../../core/keys/safe-path.ts';
import { countsAsChange } from '../../../core/safeguards/change-burst.ts';
import type { LogSize } from '../../../core/safeguards/lost-logs.ts';
import type { Verdict } from '../../../core/safeguards/verdict.ts';
import type { Base, FileStat, Key, Look, MachineName, Pair, RelativePath } from '../../../core/domain.ts';
import type { Hint, Scan } from '../../replica/replica.ts';
import type { EngineContext } from '../context.ts';
import { isUnchanged } from '../files/base.ts';
import type { LateWrites } from './late-writes.ts';
import type { MachineLink } from './link.ts';
import type { Moves } from './moves.ts';
import type { Placement } from '../places/placement.ts';

/** A file of a listing. */
interface FoundFile {
  readonly path: RelativePath;
  readonly at: PathIdentity;
  readonly stat: FileStat;
}

/**
 * Turns listings and hints of a machine into marks on its queue. A whole listing is judged by the safeguards before anything of it
 * is acted on.
 */
export class MachineScan {
  readonly #ctx: EngineContext;
  readonly #placement: Placement;
  readonly #moves: Moves;
  readonly #lateWrites: LateWrites;
  /** What was kept last of the files of stopped machines. */
  readonly #kept = new Map<string, FileStat>();
  /** Files of project folders whose project is not known, and how much was known about places when they were tried. */
  readonly #unplaced = new Map<MachineName, { readonly paths: Set<RelativePath>; readonly learned: number }>();

  constructor(options: {
    readonly ctx: EngineContext;
    readonly placement: Placement;
    readonly moves: Moves;
    readonly lateWrites: LateWrites;
  }) {
    this.#ctx = options.ctx;
    this.#placement = options.placement;
    this.#moves = options.moves;
    this.#lateWrites = options.lateWrites;
  }

  /** Lists everything; a verdict means that nothing was marked. */
  async full(machine: MachineLink, acceptDeletes: boolean): Promise<Verdict> {
    const before = this.#basesOf(machine);
    const scan = await machine.replica.scan('', (path) => this.#wanted(machine, path));
    this.#ctx.store.machines.put({ ...machine.row, lastSeenAt: this.#ctx.clock.now() });
    const verdict = acceptDeletes ? null : this.#judge(machine, scan, before);
    if (verdict) return verdict;
    await this.#mark(machine, scan, '');
    const behind: Key[] = [];
    const waiting: Key[] = [];
    for (const head of this.#ctx.store.heads.values()) {
      if (!this.#ctx.rules.ofKey(head.key).allowed) continue;
      const stand = machine.standing(head, this.#isLog(head.key));
      // What is on its way there is not behind for long, and what the head becomes meanwhile is told by itself.
      if (stand === 'behind' && !machine.queue.isUnderWay(head.key)) behind.push(head.key);
      // What waits for a session to end, or was given up, is thought of again: a restart forgets every timer.
      else if (stand === 'deferred-live' || stand === 'failed' || stand === 'held') waiting.push(head.key);
    }
    machine.queue.markAll(behind);
    machine.queue.markAll(waiting, { look: true });
    return null;
  }

  /** Looks at what a hint names. */
  async hinted(machine: MachineLink, hint: Hint): Promise<void> {
    if (hint.kind === 'folder' || hint.path === '') {
      if (hint.path === '') return machine.scanNow();
      const scan = await machine.replica.scan(hint.path, (path) => this.#wanted(machine, path));
      return this.#mark(machine, scan, `${hint.path}/`);
    }
    const rule = this.#ctx.rules.ofPath(hint.path);
    if (!rule.allowed && this.#ctx.guards.on('deny-rules')) return;
    if (machine.hints.ownWrites.hold(hint.path)) return;
    const known = this.#ctx.store.pairs.atPath(machine.name, hint.path);
    if (known) {
      if (machine.hints.ownWrites.mayEcho(hint.path, this.#ctx.clock.now()))
        return machine.hints.heardEchoes([hint.path]);
      machine.queue.mark(known.key, { look: true, urgent: true });
      return;
    }
    const look = await machine.replica.look(hint.path);
    if (look.kind === 'file') {
      const found = await this.#found(machine, { path: hint.path, at: parsePath(hint.path), stat: look.stat });
      if (found !== null) machine.queue.mark(found, { look: true, urgent: true });
    } else if (look.kind === 'refused') machine.notices.set(hint.path, look.reason);
  }

  /**
   * Looks at files that the hub made a moment ago and the watcher tells of. One that is as the hub left it, with nothing waiting to be
   * done about it, needs no more: the hint was about the hub's own write.
   */
  async lookAtEchoes(machine: MachineLink, paths: readonly RelativePath[]): Promise<void> {
    const looks = await machine.replica.lookMany(paths);
    for (const [index, path] of paths.entries()) {
      const look = looks[index];
      const pair = this.#ctx.store.pairs.atPath(machine.name, path);
      if (pair === undefined) await this.hinted(machine, { path, kind: 'file' });
      else if (look === undefined || !this.#isEcho(machine, pair, look))
        machine.queue.mark(pair.key, { look: true, urgent: true });
    }
  }

  #isEcho(machine: MachineLink, { key, base }: Pair, look: Look): boolean {
    const head = this.#ctx.store.heads.get(key);
    if (look.kind !== 'file' || base?.kind !== 'file' || head === undefined || machine.queue.has(key)) return false;
    if (!isUnchanged(base, look.stat) || this.#ctx.isForgotten(key)) return false;
    return machine.standing(head, this.#isLog(key)) === 'level';
  }

  /** Tries again the files whose project was not known, when something was learned about places since. */
  async retryUnplaced(machine: MachineLink): Promise<void> {
    const waiting = this.#unplaced.get(machine.name);
    if (!waiting || waiting.paths.size === 0 || waiting.learned === this.#placement.learned) return;
    this.#unplaced.set(machine.name, { paths: new Set(), learned: this.#placement.learned });
    const paths = [...waiting.paths];
    const looks = await machine.replica.lookMany(paths);
    const found: FoundFile[] = [];
    for (const [index, path] of paths.entries()) {
      const look = looks[index];
      if (look?.kind === 'file') found.push({ path, at: parsePath(path), stat: look.stat });
      else if (look?.kind === 'refused') machine.notices.set(path, look.reason);
    }
    await this.#markFound(machine, found);
  }

  /** Marks what was found together, so that what may go together does. */
  async #markFound(machine: MachineLink, files: Iterable<FoundFile>): Promise<void> {
    const keys: Key[] = [];
    try {
      for (const file of files) {
        const key = await this.#found(machine, file);
        if (key !== null) keys.push(key);
      }
    } finally {
      machine.queue.markAll(keys, { look: true, deep: true });
    }
  }

  #noteUnplaced(machine: MachineLink, path: RelativePath): void {
    const waiting = this.#unplaced.get(machine.name) ?? {
      paths: new Set<RelativePath>(),
      learned: this.#placement.learned,
    };
    waiting.paths.add(path);
    this.#unplaced.set(machine.name, waiting);
    machine.notices.set(path, 'stays on this machine: it is not clear which project this folder belongs to');
  }

  /** Bytes that late writers put into files that were put aside. */
  takeLateWrites(machine: MachineLink): Promise<void> {
    return this.#lateWrites.take(machine);
  }

  /**
   * What changes on a machine that a safeguard stopped is kept, and goes nowhere. Called again and again while it is stopped: of a
   * file that grows only what is new is kept.
   */
  async keepAsVersions(machine: MachineLink): Promise<void> {
    const { store, archive, clock } = this.#ctx;
    const scan = await machine.replica.scan('', (path) => this.#wanted(machine, path));
    for (const [path, stat] of scan.files) {
      const id = `${machine.name}\n${path}`;
      const kept = this.#kept.get(id);
      if (kept !== undefined && kept.size === stat.size && kept.mtimeMs === stat.mtimeMs) continue;
      const pair = store.pairs.atPath(machine.name, path);
      if (pair?.base?.kind === 'file' && isUnchanged(pair.base, stat)) continue;
      const key = pair?.key ?? (await this.#placement.keyOf(machine, path));
      if (key === null || this.#ctx.isForgotten(key)) continue;
      const known = kept?.size ?? pair?.base?.cursor?.lineBytes ?? 0;
      const from = this.#isLog(key) && known <= stat.size ? known : 0;
      this.#kept.set(id, stat);
      const content = await archive.keep(machine.replica.read(path, from, stat.size));
      if (content.bytes === 0 || store.heads.get(key)?.hash === content.sha256) continue;
      store.versions.add({
        key,
        machine: machine.name,
        at: clock.now(),
        bytes: content.bytes,
        sha256: content.sha256,
        reason: 'quarantined',
        executable: stat.executable,
        mtimeMs: stat.mtimeMs,
      });
    }
  }

  #wanted(machine: MachineLink, path: string): boolean {
    // A known copy has the rule of its key, which is remembered; finding the rule of ten thousand paths takes a second.
    const known = this.#ctx.store.pairs.atPath(machine.name, path);
    if (known !== undefined && this.#ctx.rules.ofKey(known.key).allowed) return true;
    if (path.endsWith('/')) return this.#ctx.rules.folderWanted(path) || !this.#ctx.guards.on('deny-rules');
    if (this.#ctx.rules.ofPath(path).allowed || !this.#ctx.guards.on('deny-rules')) return true;
    // A name that cannot be carried among files that are: asked for, so that the listing tells why it is refused.
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    return (
      folder !== '' &&
      unsafeReason(path) !== null &&
      unsafeReason(folder) === null &&
      this.#ctx.rules.folderWanted(folder)
    );
  }

  async #mark(machine: MachineLink, scan: Scan, below: string): Promise<void> {
    for (const [path, reason] of [...scan.unlisted, ...scan.refused]) machine.notices.set(path, reason);
    for (const path of machine.notices.keys())
      if (path.startsWith(below) && isSettled(path, scan)) machine.notices.delete(path);
    // Transcripts first: the project of a memory folder is the one of its newest session.
    const projectFiles: FoundFile[] = [];
    const others: FoundFile[] = [];
    for (const [path, stat] of scan.files) {
      const file: FoundFile = { path, at: parsePath(path), stat };
      if (!this.#isAsKnown(machine, file)) (file.at.kind === 'project-file' ? projectFiles : others).push(file);
    }
    await this.#markFound(machine, [...others, ...projectFiles]);
    const unknown = [...scan.unlisted.keys()];
    for (const pair of machine.pairsBelow(below)) {
      if (pair.base?.kind !== 'file' || scan.files.has(pair.path)) continue;
      const isUnknown = unknown.some((folder) => folder === '' || pair.path.startsWith(`${folder}/`));
      if (!isUnknown || !this.#ctx.guards.on('unknown-is-not-absent')) machine.queue.mark(pair.key, { look: true });
    }
  }

  /** Whether nothing has to be done about a file of a listing: nearly all are so, and none of them is worth a turn of its own. */
  #isAsKnown(machine: MachineLink, { path, at, stat }: FoundFile): boolean {
    const pair = this.#ctx.store.pairs.atPath(machine.name, path);
    if (pair?.base?.kind !== 'file' || !isUnchanged(pair.base, stat) || this.#ctx.isForgotten(pair.key)) return false;
    if (at.kind === 'transcript') this.#placement.noteTranscript(machine.name, at.folder, at.session);
    machine.hints.ownWrites.hold(path);
    return true;
  }

  /** A file is at `path`. @returns its key when it is not what was last verified there, `null` when nothing is to be done about it. */
  async #found(machine: MachineLink, { path, at, stat }: FoundFile): Promise<Key | null> {
    if (at.kind === 'transcript') this.#placement.noteTranscript(machine.name, at.folder, at.session);
    if (machine.hints.ownWrites.hold(path)) return null;
    const pair = this.#ctx.store.pairs.atPath(machine.name, path);
    if (pair) {
      const isAsKnown = pair.base?.kind === 'file' && isUnchanged(pair.base, stat);
      return isAsKnown && !this.#ctx.isForgotten(pair.key) ? null : pair.key;
    }
    const key = await this.#placement.keyOf(machine, path);
    if (key === null) {
      this.#noteUnplaced(machine, path);
      return null;
    }
    machine.notices.delete(path);
    const known = machine.pair(key);
    if (known && known.path !== path && (known.base !== null || known.evictedSeq !== null)) {
      await this.#moves.foundElsewhere(machine, known, path, stat);
      return null;
    }
    this.#ctx.store.pairs.put({
      machine: machine.name,
      key,
      path,
      base: known?.base ?? null,
      evictedSeq: null,
      state: 'ok',
      reason: null,
    } satisfies Pair);
    return key;
  }

  #basesOf(machine: MachineLink): Map<Key, Base> {
    const bases = new Map<Key, Base>();
    for (const pair of this.#ctx.store.pairs.ofMachine(machine.name))
      if (pair.base?.kind === 'file') bases.set(pair.key, pair.base);
    return bases;
  }

  /**
   * Safeguards over a whole listing. Only copies that the hub itself left alone since the listing began (`before`) are judged: one
   * that it wrote meanwhile is in the listing as it was before, and would look cut or gone.
   */
  #judge(machine: MachineLink, scan: Scan, before: ReadonlyMap<Key, Base>): Verdict {
    const { row } = machine;
    const logs: LogSize[] = [];
    let changed = 0;
    let files = 0;
    for (const pair of this.#ctx.store.pairs.ofMachine(machine.name)) {
      const base = before.get(pair.key);
      if (base === undefined || pair.base?.kind !== 'file') continue;
      if (base !== pair.base && !isUnchanged(base, { ...pair.base, size: pair.base.fileBytes })) continue;
      files += 1;
      const stat = scan.files.get(pair.path);
      if (stat === undefined) continue;
      if (this.#isLog(pair.key)) logs.push({ key: pair.key, before: base.fileBytes, now: stat.size });
      else if (pair.key !== 'history' && countsAsChange(base, stat)) changed += 1;
    }
    const rootVerdict = machine.safeguards.root({
      paired: row.paired,
      exists: true,
      filesFound: scan.unlisted.size === 0 ? scan.files.size : null,
      filesKnown: files,
      marker: row.replicaId,
      expectedMarker: row.replicaId,
      alsoSeenOn: [],
    });
    return rootVerdict ?? machine.safeguards.listing({ logs, changed, files });
  }

  #isLog(key: Key): boolean {
    return this.#ctx.rules.ofKey(key).merge === 'log';
  }
}

/** Whether what was said about `path` is out of date: it is an ordinary file now, or it is gone. */
function isSettled(path: RelativePath, scan: Scan): boolean {
  if (scan.files.has(path)) return true;
  if (scan.refused.has(path)) return false;
  return ![...scan.unlisted.keys()].some((folder) => folder === '' || folder === path || path.startsWith(`${folder}/`));
}
