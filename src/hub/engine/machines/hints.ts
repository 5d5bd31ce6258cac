import type { RelativePath, UnixMs } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Hint } from '../../replica/replica.ts';
import { FolderHints } from './folder-hints.ts';
import { OwnWrites } from './own-writes.ts';

/** More hints than this in one burst: the watcher's queue may have overflowed without saying so. */
const BURST_HINTS = 2_000;
/**
 * A burst goes on while more hints than this come within a second. They are counted over the whole of it: on a busy computer they arrive
 * slowly, and that is where queues overflow.
 */
const CALM_HINTS = 50;
/** A burst that goes on for this long is scanned after all the same. */
const LONGEST_BURST_MS = 60_000;
/** A burst ends with the first second that is calm. */
const CALM_MS = 1_000;
/** Files that are looked at because of the hub's own writes are looked at together. */
const ECHOES_TOGETHER_MS = 150;

/** What hints lead to. */
export interface HintsOptions {
  readonly clock: Clock;
  readonly isWritable: () => boolean;
  readonly hinted: (hint: Hint) => Promise<void>;
  readonly lookAtEchoes: (paths: readonly RelativePath[]) => Promise<void>;
  /** The watcher may have lost events. */
  readonly scan: () => void;
  /** Something that a hint led to has ended. */
  readonly onEnd: () => void;
  readonly onTrouble: (error: unknown) => void;
}

/** What the watcher of one machine tells, and what is under way because of it. */
export class Hints {
  readonly ownWrites = new OwnWrites();
  readonly #options: HintsOptions;
  readonly #echoes = new Set<RelativePath>();
  readonly #folders: FolderHints;
  #underWay = 0;
  /** Hints of this second, and of the burst before it; `null` while nothing was heard for a second. */
  #burst: { now: number; before: number; readonly until: UnixMs } | null = null;

  constructor(options: HintsOptions) {
    this.#options = options;
    const { clock, isWritable, hinted, onTrouble } = options;
    this.#folders = new FolderHints({
      clock,
      // A machine that is not written to is scanned before it is again.
      scan: async (path) => {
        if (isWritable()) await hinted({ path, kind: 'folder' });
      },
      onTrouble,
    });
  }

  /** Whether nothing that was heard is still to be looked into. */
  get isQuiet(): boolean {
    return this.#underWay === 0 && this.#echoes.size === 0;
  }

  heard(hint: Hint): void {
    const { isWritable, clock, hinted } = this.#options;
    if (!isWritable()) return;
    if (this.#burst === null) {
      this.#burst = { now: 0, before: 0, until: clock.now() + LONGEST_BURST_MS };
      clock.after(CALM_MS, () => this.#countBurst());
    }
    this.#burst.now += 1;
    this.#follow(hint.kind === 'folder' ? this.#folders.heard(hint.path) : hinted(hint));
  }

  /** Something was heard of files that the hub made a moment ago: they are looked at together. */
  heardEchoes(paths: readonly RelativePath[]): void {
    const isFirst = this.#echoes.size === 0;
    for (const path of paths) this.#echoes.add(path);
    if (isFirst && this.#echoes.size > 0) this.#options.clock.after(ECHOES_TOGETHER_MS, () => this.#lookAtEchoes());
  }

  #lookAtEchoes(): void {
    const paths = [...this.#echoes];
    this.#echoes.clear();
    // A machine that is not written to is scanned before it is again.
    if (this.#options.isWritable()) this.#follow(this.#options.lookAtEchoes(paths));
  }

  #follow(work: Promise<void>): void {
    this.#underWay += 1;
    work
      .catch((error: unknown) => this.#options.onTrouble(error))
      .finally(() => {
        this.#underWay -= 1;
        this.#options.onEnd();
      })
      .catch((error: unknown) => this.#options.onTrouble(error));
  }

  /**
   * A burst is answered with one scan, when it is over or has lasted for long. Scanning all through it would list the tree every second
   * of a first sync, whose own writes are such a burst.
   */
  #countBurst(): void {
    const burst = this.#burst;
    if (burst === null) return;
    const { clock, scan } = this.#options;
    const isCalm = burst.now <= CALM_HINTS;
    burst.before += burst.now;
    burst.now = 0;
    if (!isCalm && clock.now() < burst.until) return void clock.after(CALM_MS, () => this.#countBurst());
    this.#burst = null;
    if (burst.before > BURST_HINTS) scan();
  }
}
