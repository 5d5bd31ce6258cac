import assert from 'node:assert/strict';
import type { Base, DeleteKind, Head } from '../../../src/core/domain.ts';
import { chooseWinner } from '../../../src/core/plan/choose-winner.ts';
import { plan } from '../../../src/core/plan/plan.ts';
import type { Observed, Plan } from '../../../src/core/plan/plan.ts';

/** One copy of the file, and what the hub remembers about it. */
interface Copy {
  content: string | null;
  mtimeMs: number;
  base: Base | null;
  evictedSeq: number | null;
  /** The last look found it absent and nothing changed since. */
  absentBefore: boolean;
}

/**
 * One key on a few machines and a hub, all in memory: a content is its own hash. It applies plans the way the engine has
 * to, and checks on the way that a delivery destroys nothing that is not kept.
 */
export class SyncedFile {
  readonly #copies: Copy[];
  readonly #deleteRule: DeleteKind;
  readonly #kept = new Set<string>();
  readonly #seen = new Set<string>();
  #head: Head | undefined;
  #time = 0;

  constructor(machines: number, deleteRule: DeleteKind) {
    this.#deleteRule = deleteRule;
    this.#copies = Array.from({ length: machines }, () => ({
      content: null,
      mtimeMs: 0,
      base: null,
      evictedSeq: null,
      absentBefore: false,
    }));
  }

  get copies(): (string | null)[] {
    return this.#copies.map((copy) => copy.content);
  }

  /** Something happens on or to machine `at`. */
  step(kind: 'edit' | 'delete' | 'lose-base' | 'look' | 'look-fails', at: number): void {
    const copy = this.#copy(at);
    this.#time += 1;
    if (kind === 'edit')
      Object.assign(copy, { content: `${at}@${this.#time}`, mtimeMs: this.#time, absentBefore: false });
    if (kind === 'delete') copy.content = null;
    if (kind === 'lose-base') Object.assign(copy, { base: null, evictedSeq: null });
    if (kind === 'look') this.#apply(at, this.planOf(at));
    if (kind === 'look-fails') this.#apply(at, this.#planFor(copy, { kind: 'unknown' }));
  }

  /** Looks at all machines until nothing happens any more; the user resolves first conflicts in favour of the head. */
  settle(): void {
    for (let round = 0; round < 12; round += 1) {
      let isQuiet = true;
      for (const [at, copy] of this.#copies.entries()) {
        const made = this.planOf(at);
        if (made.do === 'nothing') continue;
        isQuiet = false;
        if (made.do !== 'first-conflict') this.#apply(at, made);
        else this.#losingCopy(copy);
      }
      if (isQuiet) return;
    }
    assert.fail(`not quiet after 12 rounds: ${JSON.stringify({ head: this.#head, copies: this.#copies })}`);
  }

  planOf(at: number): Plan {
    const copy = this.#copy(at);
    return this.#planFor(copy, observe(copy));
  }

  assertConverged(): void {
    const head = this.#head?.kind === 'file' ? this.#head.hash : null;
    for (const copy of this.#copies) {
      const isEvicted = copy.content === null && copy.evictedSeq !== null && copy.evictedSeq === this.#head?.seq;
      if (!isEvicted) assert.equal(copy.content, head);
    }
  }

  assertNothingLost(): void {
    for (const content of this.#seen) {
      assert.ok(this.#kept.has(content) || this.#head?.hash === content, `${content} is neither kept nor the head`);
    }
  }

  #planFor(copy: Copy, observed: Observed): Plan {
    if (observed.kind === 'file') this.#seen.add(observed.hash);
    const { base, evictedSeq } = copy;
    return plan({
      head: this.#head,
      base,
      observed,
      evictedSeq,
      deleteRule: this.#deleteRule,
      executableBitCounts: true,
    });
  }

  #apply(at: number, made: Plan): void {
    const copy = this.#copy(at);
    switch (made.do) {
      case 'nothing':
        return;
      case 'first-conflict':
        if (copy.content !== null) this.#kept.add(copy.content);
        return;
      case 'confirm-delete':
        copy.absentBefore = true;
        return;
      case 'adopt':
        return this.#level(copy);
      case 'deliver':
        return this.#deliver(copy);
      case 'commit':
      case 'commit-tombstone':
        return this.#commit(at, copy);
      case 'evict':
        copy.evictedSeq = this.#head?.seq ?? null;
        return;
      case 'merge': {
        const machine = { machine: `m${at}`, mtimeMs: copy.mtimeMs, clockOffsetMs: 0 };
        const hub = { machine: this.#head?.origin ?? '', mtimeMs: this.#head?.mtimeMs ?? 0, clockOffsetMs: 0 };
        return chooseWinner(machine, hub) === 'a' ? this.#commit(at, copy) : this.#losingCopy(copy);
      }
    }
  }

  #commit(at: number, copy: Copy): void {
    if (this.#head?.hash) this.#kept.add(this.#head.hash);
    this.#head = {
      key: 'agents/a.md',
      seq: (this.#head?.seq ?? 0) + 1,
      kind: copy.content === null ? 'tombstone' : 'file',
      size: 1,
      hash: copy.content,
      mtimeMs: copy.mtimeMs,
      executable: false,
      origin: `m${at}`,
    };
    this.#level(copy);
  }

  #losingCopy(copy: Copy): void {
    if (copy.content !== null) this.#kept.add(copy.content);
    this.#deliver(copy);
  }

  #deliver(copy: Copy): void {
    if (copy.content !== null) assert.ok(this.#kept.has(copy.content), `${copy.content} was overwritten and not kept`);
    copy.content = this.#head?.hash ?? null;
    copy.mtimeMs = this.#head?.mtimeMs ?? 0;
    this.#level(copy);
  }

  #level(copy: Copy): void {
    copy.evictedSeq = null;
    copy.absentBefore = false;
    copy.base = {
      seq: this.#head?.seq ?? 0,
      kind: copy.content === null ? 'absent' : 'file',
      hash: copy.content,
      fileBytes: 1,
      mtimeMs: copy.mtimeMs,
      inode: '',
      executable: false,
      cursor: null,
    };
  }

  #copy(at: number): Copy {
    const copy = this.#copies[at];
    assert.ok(copy);
    return copy;
  }
}

function observe(copy: Copy): Observed {
  if (copy.content === null) return { kind: 'absent', confirmed: copy.absentBefore };
  return { kind: 'file', hash: copy.content, size: 1, executable: false };
}
