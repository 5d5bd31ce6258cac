import type { ByteRange, Key, MachineName } from '../../../core/domain.ts';

interface Sent {
  readonly generation: number;
  readonly ranges: ByteRange[];
}

/**
 * Lines of heads that the hub wrote into a copy in the same moment as somebody else: they stand there, behind lines that the hub has not seen
 * yet. Until the copy has been read again, what it then has of them is not that machine's own, whatever was taken out between.
 * In memory only: a crash loses it, and the next look goes by what the hub had yet to append (core/log/growth.ts).
 */
export class SentLines {
  readonly #sent = new Map<string, Sent>();

  /** @param range of the head in its `generation`. */
  note(machine: MachineName, key: Key, generation: number, range: ByteRange): void {
    const id = idOf(machine, key);
    const before = this.#sent.get(id);
    if (before?.generation === generation) before.ranges.push(range);
    else this.#sent.set(id, { generation, ranges: [range] });
  }

  /** What of the head was written to the copy since it was read; nothing of a head that was replaced. */
  of(machine: MachineName, key: Key, generation: number): readonly ByteRange[] {
    const sent = this.#sent.get(idOf(machine, key));
    return sent?.generation === generation ? sent.ranges : [];
  }

  /** The copy has been read: what it has is known. */
  forget(machine: MachineName, key: Key): void {
    this.#sent.delete(idOf(machine, key));
  }
}

function idOf(machine: MachineName, key: Key): string {
  return `${machine}\n${key}`;
}
