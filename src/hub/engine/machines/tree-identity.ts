import type { MachineName, UnixMs } from '../../../core/domain.ts';
import type { Verdict } from '../../../core/safeguards/verdict.ts';
import type { Replica } from '../../replica/replica.ts';
import type { MachineRow } from '../../store/store.ts';
import type { EngineContext } from '../context.ts';
import type { MachineSafeguards } from './safeguards.ts';

/** A look at the root of the tree is good for all deletes of a moment. */
const LOOK_CACHE_MS = 500;

/** What a tree is asked with, see `MachineSafeguards.root`. */
type RootState = Omit<Parameters<MachineSafeguards['root']>[0], 'exists'>;

/**
 * Whether the folder of a machine is still the tree that the hub knows: by the mark in it, and by whether anything is in it at all
 * (docs/sync.md section 8).
 */
export class TreeIdentity {
  readonly #ctx: EngineContext;
  readonly #replica: Replica;
  readonly #safeguards: MachineSafeguards;
  readonly #row: () => MachineRow;
  readonly #onVerdict: (verdict: NonNullable<Verdict>) => void;
  #looked: { readonly at: UnixMs; readonly answer: Promise<boolean> } | null = null;

  /** @param options.onVerdict told when a look before a delete finds another tree. */
  constructor(options: {
    readonly ctx: EngineContext;
    readonly replica: Replica;
    readonly safeguards: MachineSafeguards;
    readonly row: () => MachineRow;
    readonly onVerdict: (verdict: NonNullable<Verdict>) => void;
  }) {
    this.#ctx = options.ctx;
    this.#replica = options.replica;
    this.#safeguards = options.safeguards;
    this.#row = options.row;
    this.#onVerdict = options.onVerdict;
  }

  /** Files the machine is known to hold. */
  get filesKnown(): number {
    let count = 0;
    for (const pair of this.#ctx.store.pairs.ofMachine(this.#name)) if (pair.base?.kind === 'file') count += 1;
    return count;
  }

  /** On connecting: is this still the tree that we know? A fresh one gets its mark. */
  async identify(): Promise<Verdict> {
    const marker = await this.#replica.readMarker();
    const verdict = this.#safeguards.root({ ...this.#state(marker), exists: true });
    if (verdict) return verdict;
    const id = marker ?? this.#ctx.random.hex(16);
    if (marker === null) await this.#replica.writeMarker(id);
    if (this.#row().replicaId !== id) this.#ctx.store.machines.put({ ...this.#row(), replicaId: id });
    return null;
  }

  /** What it means that the folder is not there. */
  missing(): Verdict {
    return this.#safeguards.root({ ...this.#state(null), exists: false });
  }

  /** Before a delete is believed: the mark is there, and something besides. */
  isItself(): Promise<boolean> {
    const now = this.#ctx.clock.now();
    if (this.#looked !== null && now - this.#looked.at <= LOOK_CACHE_MS) return this.#looked.answer;
    const answer = this.#look();
    this.#looked = { at: now, answer };
    return answer;
  }

  async #look(): Promise<boolean> {
    const marker = await this.#replica.readMarker();
    let folders = 0;
    const listed = await this.#replica.scan('', (path) => {
      if (!path.endsWith('/')) return this.#ctx.rules.ofPath(path).allowed;
      if (this.#ctx.rules.folderWanted(path)) folders += 1;
      return false;
    });
    const isEmpty = folders + listed.files.size + listed.unlisted.size + listed.refused.size === 0;
    const verdict = this.#safeguards.root({ ...this.#state(marker), exists: true, filesFound: isEmpty ? 0 : null });
    if (verdict) this.#onVerdict(verdict);
    return verdict === null;
  }

  #state(marker: string | null): RootState {
    const row = this.#row();
    // A machine that left the configuration, perhaps under another name now, has no folder any more that this one could be a copy of.
    const others = [...this.#ctx.store.machines.values()].filter(
      (other) => other.name !== this.#name && other.replicaId !== null && this.#ctx.machine(other.name) !== undefined,
    );
    return {
      paired: row.paired,
      filesFound: null,
      filesKnown: this.filesKnown,
      marker,
      expectedMarker: row.replicaId,
      alsoSeenOn: others.filter((other) => other.replicaId === marker).map((other) => other.name),
    };
  }

  get #name(): MachineName {
    return this.#replica.machine;
  }
}
