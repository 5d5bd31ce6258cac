import { CONFIRM_DELETE_MS, type Observed } from '../../../core/plan/plan.ts';
import type { Base, FileStat, Pair, UnixMs } from '../../../core/domain.ts';
import type { Rule } from '../../../core/rules/classify.ts';
import type { Staged } from '../../archive/archive.ts';
import type { EngineContext, MachineView } from '../context.ts';
import { isUnchanged, UNTRUSTED_TIME } from './base.ts';
import type { FileView } from './view.ts';
import { untilSecondLook, type ListedAbsence } from '../machines/listed-absence.ts';
import { statOf } from '../logs/delivery.ts';
import { settling, type Outcome } from '../outcome.ts';
import type { Mark } from '../work-queue.ts';

/** A file that is being written is read when it has looked the same for this long ... */
const STABLE_MS = 100;
/** ... or when it has been changing for this long. */
const STABLE_AT_MOST_MS = 3_000;

/** What was seen of a file, with its content in staging when it had to be read. */
export interface SeenFile {
  readonly observed: Observed;
  readonly stat: FileStat | null;
  readonly staged: Staged | null;
}

/**
 * Looks at copies of everything but logs and history, until what is seen can be believed: a file in motion is waited for, a delete is
 * looked at twice.
 */
export class FileSight {
  readonly #ctx: EngineContext;
  readonly #view: FileView;
  readonly #absence: ListedAbsence;
  /** First sight of an absence or of a file in motion, per machine and key. */
  readonly #absentSince = new Map<string, UnixMs>();
  readonly #moving = new Map<string, { firstAt: UnixMs; sameSince: UnixMs; size: number; mtimeMs: UnixMs }>();

  constructor(ctx: EngineContext, view: FileView, absence: ListedAbsence) {
    this.#ctx = ctx;
    this.#absence = absence;
    this.#view = view;
  }

  /** What the copy is now, or when to look again. */
  async see(machine: MachineView, pair: Pair, rule: Rule, mark: Mark): Promise<SeenFile | Outcome> {
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
      return {
        observed: { kind: 'absent', confirmed: await this.#isConfirmed(machine, pair, id) },
        stat: null,
        staged: null,
      };
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
    if (
      after.kind !== 'file' ||
      after.stat.size !== stat.size ||
      after.stat.mtimeMs !== stat.mtimeMs ||
      after.stat.inode !== stat.inode
    ) {
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

  async #isConfirmed(machine: MachineView, pair: Pair, id: string): Promise<boolean> {
    const since = this.#absentSince.get(id);
    if (since === undefined || this.#ctx.clock.now() - since < CONFIRM_DELETE_MS) return false;
    return (await this.#absence.confirms(machine, pair.path, since + CONFIRM_DELETE_MS)) && machine.isItself();
  }

  /** Outcome for a copy that is absent for the first time: it is looked at again before that counts. */
  waitForDelete(machine: MachineView, pair: Pair, rule: Rule): Outcome {
    if (rule.delete === 'tombstone') machine.pendingDelete(pair.key, true);
    const id = `${machine.name}\n${pair.key}`;
    const since = this.#absentSince.get(id) ?? this.#ctx.clock.now();
    this.#absentSince.set(id, since);
    return settling(Math.max(untilSecondLook(this.#ctx.clock.now(), since), STABLE_MS));
  }
}

function baseObserved(base: Base): Observed {
  return { kind: 'file', hash: base.hash ?? '', size: base.fileBytes, executable: base.executable };
}
