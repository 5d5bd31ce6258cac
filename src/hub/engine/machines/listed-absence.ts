import { CONFIRM_DELETE_MS } from '../../../core/plan/plan.ts';
import type { RelativePath, UnixMs } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Scan } from '../../replica/replica.ts';
import type { MachineView } from '../context.ts';

/** A listing serves every file of its folder for this long. A clean-up takes hundreds of files of one folder at once. */
const SHARED_MS = 500;

/** Second looks are made at these ticks, so that files that went one after the other are confirmed together. */
const TICK_MS = 250;

/** Time until the second look at a file that was found absent at `since`: 3 s later, or a moment more. */
export function untilSecondLook(now: UnixMs, since: UnixMs): number {
  return Math.ceil((since + CONFIRM_DELETE_MS) / TICK_MS) * TICK_MS - now;
}

/** One listing of one folder: its files, nothing below it. */
interface Listing {
  readonly startedAt: UnixMs;
  readonly scan: Promise<Scan>;
}

/**
 * The second half of a delete's confirmation (docs/sync.md section 3, rule 7): the folder of a file is listed, and the file is not in
 * it. A listing counts for a file only when it began after the file's second look was due, and is shared only by those that ask
 * within a moment.
 */
export class ListedAbsence {
  readonly #clock: Clock;
  /** In the order of their beginning. */
  readonly #listings = new Map<string, Listing>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Whether a folder above `path` was listed, at `notBefore` or later, and `path` is not in it.
   * @throws {ReplicaUnreachable}
   */
  async confirms(machine: MachineView, path: RelativePath, notBefore: UnixMs): Promise<boolean> {
    let folder = path;
    for (;;) {
      const cut = folder.lastIndexOf('/');
      folder = cut < 0 ? '' : folder.slice(0, cut);
      const scan = await this.#list(machine, folder, notBefore);
      if (!scan.unlisted.has(folder)) return !scan.files.has(path) && !scan.refused.has(path);
      const look = folder === '' ? null : await machine.replica.look(folder);
      if (look?.kind !== 'absent') return false;
    }
  }

  #list(machine: MachineView, folder: RelativePath, notBefore: UnixMs): Promise<Scan> {
    const now = this.#clock.now();
    for (const [id, { startedAt }] of this.#listings) {
      if (now - startedAt <= SHARED_MS) break;
      this.#listings.delete(id);
    }
    const id = `${machine.name}\n${folder}`;
    const known = this.#listings.get(id);
    if (known !== undefined && known.startedAt >= notBefore) return known.scan;
    const scan = machine.replica.scan(folder, (candidate) => !candidate.endsWith('/'));
    this.#listings.delete(id);
    this.#listings.set(id, { startedAt: now, scan });
    // A listing that failed says nothing to anybody else; who asked for it is told by the promise itself.
    scan.catch(() => {
      if (this.#listings.get(id)?.scan === scan) this.#listings.delete(id);
    });
    return scan;
  }
}
