import type { Conflict } from '../../protocol/conflicts.ts';
import type { MachineReport } from '../../protocol/status.ts';

/** What the user has not been told of yet. */
export interface News {
  /** Conflicts that stay until the user decides, newest first. */
  readonly conflicts: readonly Conflict[];
  /** Machines that a safeguard has stopped. */
  readonly quarantined: readonly MachineReport[];
}

/** Tells new things from old ones. */
export class NewsWatch {
  readonly #stopped = new Set<string>();
  #toldAt: number;

  /** @param toldAt of conflicts that are not younger (Unix ms), the user was told before. */
  constructor(toldAt: number) {
    this.#toldAt = toldAt;
  }

  /** Unix ms of the youngest conflict that was told of. */
  get toldAt(): number {
    return this.#toldAt;
  }

  /** Each thing is news once; a machine that is stopped again is news again. */
  look(open: readonly Conflict[], machines: readonly MachineReport[]): News {
    const conflicts = open.filter(
      ({ at, winner, status }) => status === 'open' && winner === null && at > this.#toldAt,
    );
    this.#toldAt = Math.max(this.#toldAt, ...conflicts.map(({ at }) => at));
    const quarantined = machines.filter(({ name, status }) => status === 'quarantined' && !this.#stopped.has(name));
    this.#stopped.clear();
    for (const { name, status } of machines) if (status === 'quarantined') this.#stopped.add(name);
    return { conflicts, quarantined };
  }
}
