import { v4 as uuidFrom } from 'uuid';
import { readdressed } from '../../core/log/readdress.ts';
import type { Head, Key, MachineName, Sha256 } from '../../core/domain.ts';
import type { ConflictRow, VersionRow } from '../store/store.ts';
import { sessionOf, type EngineContext } from './context.ts';
import { once } from './excerpt.ts';
import type { Forgotten } from './forgotten.ts';
import type { HistoryCopy } from './history/copy.ts';
import { LogHeads } from './logs/heads.ts';
import { keepVersion } from './keep-version.ts';

/** The user asked for something that cannot be done; nothing was changed. */
export class ActionRefused extends Error {
  readonly code:
    | 'unknown-key'
    | 'unknown-version'
    | 'unknown-machine'
    | 'unknown-conflict'
    | 'not-open'
    | 'not-evicted'
    | 'say-which'
    | 'unknown-approval';

  constructor(code: ActionRefused['code'], message: string) {
    super(message);
    this.name = 'ActionRefused';
    this.code = code;
  }
}

/** What a restore did. */
export interface Restored {
  readonly key: Key;
  readonly to: readonly MachineName[];
  readonly bytes: number;
}

/**
 * What the user decides: restores, conflicts, approvals, deliberate deletes. Each makes a new head (or clears a flag) and lets the
 * ordinary flow bring it to the machines.
 */
export class UserActions {
  readonly #ctx: EngineContext;
  readonly #heads: LogHeads;
  readonly #forgotten: Forgotten;

  readonly #history: HistoryCopy;

  constructor(ctx: EngineContext, forgotten: Forgotten, history: HistoryCopy) {
    this.#history = history;
    this.#ctx = ctx;
    this.#heads = new LogHeads(ctx);
    this.#forgotten = forgotten;
  }

  /**
   * Brings a key back: an evicted one to the machines it was swept from, a version of a document as the new head, a version of a
   * log as a session of its own.
   * @throws {ActionRefused}
   */
  async restore(
    key: Key,
    options: { readonly version?: number | undefined; readonly machine?: MachineName | undefined },
  ): Promise<Restored> {
    if (options.machine !== undefined && !this.#ctx.machine(options.machine)) {
      throw new ActionRefused('unknown-machine', `there is no machine ${options.machine}; nothing was changed`);
    }
    if (options.version === undefined) return this.#restoreHead(key, options.machine);
    if (options.machine !== undefined) {
      throw new ActionRefused(
        'not-evicted',
        '--machine goes with keys that were swept from that machine, not with --version; nothing was changed',
      );
    }
    const row = this.#ctx.store.versions.get(key, options.version);
    if (!row) {
      if (!this.#isKnown(key)) throw unknownKey(key);
      throw new ActionRefused(
        'unknown-version',
        `${key} has no version ${options.version}; claude-sync versions lists them; nothing was changed`,
      );
    }
    const isLog = this.#ctx.rules.ofKey(key).merge === 'log';
    return isLog ? this.#restoreAsSession(key, row) : this.#restoreDocument(key, row);
  }

  async #restoreHead(key: Key, only: MachineName | undefined): Promise<Restored> {
    const { store, clock, lock } = this.#ctx;
    const head = store.heads.get(key);
    if (!head) {
      const newest = store.versions.list(key)[0];
      if (!newest) throw unknownKey(key);
      throw new ActionRefused(
        'say-which',
        `${key} has no current content: choose one with --version (newest: ${newest.version}); nothing was changed`,
      );
    }
    if (head.kind === 'tombstone') {
      const deleted = store.versions.list(key).find((row) => row.reason === 'deleted') ?? store.versions.list(key)[0];
      if (!deleted) throw new ActionRefused('unknown-version', `nothing is kept of ${key}; nothing was changed`);
      return this.#restoreDocument(key, deleted);
    }
    const session = sessionOf(key);
    const keys = session !== null && key === `session/${session}` ? store.heads.withPrefix(key) : [key];
    const to = new Set<MachineName>();
    for (const one of keys) {
      const evicted = store.pairs
        .ofKey(one)
        .filter((pair) => pair.evictedSeq !== null && (only === undefined || pair.machine === only));
      if (evicted.length === 0) continue;
      await lock.with(one, async () => {
        const current = store.heads.get(one);
        // Its age is what Claude's clean-up goes by: an old one would be swept again at once.
        if (current) store.heads.put({ ...current, mtimeMs: clock.now() });
      });
      for (const pair of evicted) {
        store.pairs.put({ ...pair, base: null, evictedSeq: null, state: 'ok', reason: null });
        this.#ctx.machine(pair.machine)?.queue.mark(one, { look: true, urgent: true });
        to.add(pair.machine);
      }
    }
    if (to.size === 0) {
      throw new ActionRefused(
        'not-evicted',
        `${key} was not swept from ${only ?? 'any machine'}: there is nothing to bring back; nothing was changed`,
      );
    }
    this.#log(key, 'restore', head.size, `to ${[...to].join(', ')}`);
    return { key, to: [...to], bytes: head.size };
  }

  async #restoreDocument(key: Key, row: VersionRow): Promise<Restored> {
    const head = await this.#newHead(key, row.sha256, row.executable, row.machine);
    this.#log(key, 'restore', head.size, `version ${row.version}`);
    return { key, to: [...this.#ctx.machines()].map((machine) => machine.name), bytes: head.size };
  }

  async #restoreAsSession(key: Key, row: VersionRow): Promise<Restored> {
    const { archive, lock, clock, random } = this.#ctx;
    const session = sessionOf(key);
    if (session === null || key !== `session/${session}`) {
      throw new ActionRefused(
        'say-which',
        'a version of a subagent log is brought back with its session; nothing was changed',
      );
    }
    const uuid = uuidFrom({ random: Buffer.from(random.hex(16), 'hex') });
    const made: Key = `session/${uuid}`;
    const now = clock.now();
    // As a stream: a session may be larger than memory. A kept content that turns out damaged at its end leaves nothing behind.
    const lines = readdressed(archive.readVersion(row.sha256), session, uuid);
    const head = await lock.with(made, () =>
      this.#heads.append(made, lines, { origin: row.machine, mtimeMs: now, seenAt: now }, () => {}),
    );
    this.#ctx.headChanged(made, null);
    this.#log(made, 'restore', head.size, `version ${row.version} of ${key} as a session of its own`);
    return { key: made, to: [...this.#ctx.machines()].map((machine) => machine.name), bytes: head.size };
  }

  /** The user's answer to a conflict: one machine's side, or content merged by hand. */
  async resolveConflict(
    id: number,
    choice: { readonly keep: MachineName } | { readonly merged: Buffer },
  ): Promise<ConflictRow> {
    const { store, archive, clock } = this.#ctx;
    const conflict = store.conflicts.get(id);
    if (!conflict) throw new ActionRefused('unknown-conflict', `there is no conflict ${id}; nothing was changed`);
    let content: Sha256;
    let resolution: string;
    let origin: MachineName;
    if ('keep' in choice) {
      const side = conflict.sides.find((one) => one.machine === choice.keep);
      if (!side?.sha256)
        throw new ActionRefused('unknown-machine', `${choice.keep} is no side of conflict ${id}; nothing was changed`);
      if (!(await archive.holds(side.sha256))) {
        throw new ActionRefused(
          'unknown-version',
          `what ${choice.keep} had in conflict ${id} is not kept any more (versions.keepDays); nothing was changed`,
        );
      }
      content = side.sha256;
      origin = side.machine;
      resolution = `keep ${choice.keep}`;
    } else {
      content = (await archive.keep(once(choice.merged))).sha256;
      origin = conflict.sides[0]?.machine ?? '';
      resolution = 'merged by hand';
    }
    const reversed =
      conflict.status !== 'open' && conflict.winner !== null && 'keep' in choice && choice.keep !== conflict.winner;
    const executable = store.heads.get(conflict.key)?.executable ?? false;
    // Every side's content is kept and known: it is what each machine is taken to have agreed to give up. Once a conflict is decided,
    // the loser's copy is not its side any more, and what is verified there counts.
    for (const side of conflict.status === 'open' ? conflict.sides : []) {
      const pair = store.pairs.get(side.machine, conflict.key);
      if (!pair || side.sha256 === null) continue;
      const known = pair.base?.kind === 'file' && pair.base.hash === side.sha256 ? pair.base : null;
      store.pairs.put({
        ...pair,
        state: 'ok',
        reason: null,
        base: known ?? {
          seq: 0,
          kind: 'file',
          hash: side.sha256,
          fileBytes: -1,
          mtimeMs: -1,
          inode: '',
          executable: pair.base?.executable ?? executable,
          cursor: null,
        },
      });
    }
    await this.#newHead(conflict.key, content, executable, origin);
    const resolved: ConflictRow = {
      ...conflict,
      status: reversed ? 'reversed' : 'resolved',
      winner: 'keep' in choice ? choice.keep : conflict.winner,
      resolvedAt: clock.now(),
      resolution,
    };
    store.conflicts.update(resolved);
    return resolved;
  }

  /** Executable content from a machine with trust `data` becomes the head. */
  async acceptApproval(id: number): Promise<void> {
    const row = this.#ctx.store.approvals.get(id);
    if (row?.status !== 'waiting')
      throw new ActionRefused(
        'unknown-approval',
        `nothing waits for approval with the number ${id}; nothing was changed`,
      );
    if (row.sha256 !== null) await this.#newHead(row.key, row.sha256, row.executable, row.machine);
    this.#ctx.store.approvals.update({ ...row, status: 'accepted' });
    this.#ctx.machine(row.machine)?.queue.mark(row.key, { look: true, urgent: true });
  }

  /** Executable content from a machine with trust `data` stays where it is. */
  rejectApproval(id: number): void {
    const row = this.#ctx.store.approvals.get(id);
    if (row?.status !== 'waiting')
      throw new ActionRefused(
        'unknown-approval',
        `nothing waits for approval with the number ${id}; nothing was changed`,
      );
    this.#ctx.store.approvals.update({ ...row, status: 'rejected' });
  }

  /** What `forget` would remove. */
  previewForget(session: string): { keys: Key[]; machines: MachineName[]; bytes: number; versions: number } {
    const keys = this.#forgotten.keysOf(session);
    if (keys.length === 0) throw unknownKey(`session/${session}`);
    const machines = new Set<MachineName>();
    let bytes = 0;
    let versions = 0;
    for (const key of keys) {
      bytes += this.#ctx.store.heads.get(key)?.size ?? 0;
      versions += this.#ctx.store.versions.list(key).length;
      for (const pair of this.#ctx.store.pairs.ofKey(key)) if (pair.base?.kind === 'file') machines.add(pair.machine);
    }
    return { keys, machines: [...machines], bytes, versions };
  }

  /** The one deliberate delete of a session: everywhere, and it does not come back. */
  async forget(session: string): Promise<{ keys: Key[] }> {
    const { keys } = this.previewForget(session);
    await this.#forgotten.add(session, keys);
    await this.#history.dropForgotten();
    this.#log(`session/${session}`, 'forget', 0, `${keys.length} files`);
    return { keys };
  }

  /** Kept content becomes the head; the head so far is kept. */
  async #newHead(key: Key, sha256: Sha256, executable: boolean, origin: MachineName): Promise<Head> {
    const { archive, store, clock, lock } = this.#ctx;
    const made = await lock.with(key, async () => {
      const before = store.heads.get(key);
      if (before?.kind === 'file') {
        await keepVersion(this.#ctx, archive.read(key, 0, before.size), {
          key,
          machine: before.origin,
          reason: 'overwritten',
          executable: before.executable,
          mtimeMs: before.mtimeMs,
        });
      }
      const staged = await archive.stage(archive.readVersion(sha256));
      await archive.install(key, staged, executable);
      const head: Head = {
        key,
        seq: store.nextSeq(),
        kind: 'file',
        size: staged.bytes,
        hash: staged.sha256,
        mtimeMs: clock.now(),
        executable,
        origin,
      };
      this.#ctx.newGeneration(key);
      store.heads.put(head);
      this.#ctx.noteHeadSeen(key, clock.now());
      return head;
    });
    this.#ctx.headChanged(key, null);
    return made;
  }

  #isKnown(key: Key): boolean {
    return this.#ctx.store.heads.get(key) !== undefined || this.#ctx.store.versions.list(key).length > 0;
  }

  #log(key: Key, action: 'restore' | 'forget', bytes: number, detail: string): void {
    this.#ctx.logged({ key, source: null, target: null, action, outcome: 'done', bytes, durationMs: 0, detail });
  }
}

function unknownKey(key: Key): ActionRefused {
  return new ActionRefused('unknown-key', `the hub knows nothing of ${key}; nothing was changed`);
}
