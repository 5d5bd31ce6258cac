import type { Key } from '../../../core/domain.ts';
import { ArchiveDamaged } from '../../archive/archive.ts';
import { FileSystemError } from '../../ports/file-system.ts';
import { ReplicaUnreachable, FETCH_LIMIT_BYTES } from '../../replica/replica.ts';
import type { EngineContext, MachineView } from '../context.ts';
import type { Moves } from '../machines/moves.ts';
import { NewCopies } from './new-copies.ts';
import { NewHeads } from './new-heads.ts';
import type { Placement } from '../places/placement.ts';
import { INTERRUPTED } from '../work-queue.ts';

/**
 * What a first sync is made of: files that the hub has nothing of, and heads that a machine has nothing of. Thousands of these go
 * together, many at a time, because nothing can be in their way; every other case is for the flow of its key.
 */
export class Together {
  readonly #ctx: EngineContext;
  readonly #moves: Moves;
  readonly #heads: NewHeads;
  readonly #copies: NewCopies;
  readonly #onUnreachable: (machine: MachineView, error: ReplicaUnreachable) => void;
  readonly #onTrouble: (error: Error) => void;

  constructor(options: {
    readonly ctx: EngineContext;
    readonly placement: Placement;
    readonly moves: Moves;
    readonly onUnreachable: (machine: MachineView, error: ReplicaUnreachable) => void;
    readonly onTrouble: (error: Error) => void;
  }) {
    this.#ctx = options.ctx;
    this.#moves = options.moves;
    this.#heads = new NewHeads(options.ctx, options.placement);
    this.#copies = new NewCopies(options.ctx, options.placement);
    this.#onUnreachable = options.onUnreachable;
    this.#onTrouble = options.onTrouble;
  }

  /** Whether this key may go together with others, as far as is known now. Asked for every mark, so it only looks at what is stored. */
  canTake(machine: MachineView, key: Key): boolean {
    const { store, rules } = this.#ctx;
    const pair = store.pairs.get(machine.name, key);
    if (pair !== undefined && (pair.base !== null || pair.evictedSeq !== null || pair.state !== 'ok')) return false;
    const head = store.heads.get(key);
    // With a head a file that is there already is a first pairing; without one there has to be a file.
    if (
      head === undefined
        ? pair === undefined
        : pair !== undefined || head.kind !== 'file' || head.size > FETCH_LIMIT_BYTES
    )
      return false;
    const rule = rules.ofKey(key);
    if (!rule.allowed || rule.merge === 'union' || rule.merge === 'keys' || rules.excludesKey(key)) return false;
    if (this.#ctx.isForgotten(key) || this.#moves.concern(machine, key)) return false;
    if (head === undefined) return !(rule.executableContent && machine.settings.trust === 'data');
    const { projects, maxAgeDays, maxFileBytes } = machine.settings.scope;
    return projects === null && maxAgeDays === null && maxFileBytes === null;
  }

  /** @returns the keys that are left for their own flows, or that the machine is gone. */
  async run(machine: MachineView, keys: readonly Key[], waiting: number): Promise<readonly Key[] | typeof INTERRUPTED> {
    if (!machine.writable) return [];
    const left: Key[] = [];
    const unknown: Key[] = [];
    const lacking: Key[] = [];
    for (const key of keys) {
      if (!this.canTake(machine, key)) left.push(key);
      else (this.#ctx.store.heads.get(key) === undefined ? unknown : lacking).push(key);
    }
    try {
      const [notTaken, notCreated] = await Promise.all([
        unknown.length > 0 ? this.#heads.take(machine, unknown, waiting) : [],
        lacking.length > 0 ? this.#copies.create(machine, lacking, waiting) : [],
      ]);
      return [...left, ...notTaken, ...notCreated];
    } catch (error) {
      if (error instanceof ReplicaUnreachable) {
        this.#onUnreachable(machine, error);
        return INTERRUPTED;
      }
      // The flows of the keys meet trouble with a file one by one, and know what to say about it.
      if (!FileSystemError.is(error) && !(error instanceof ArchiveDamaged)) this.#onTrouble(error as Error);
      return keys;
    }
  }
}
