import type { UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';

/** With more than this free, a look at the disk is good for a while. */
const PLENTY_BYTES = 256 * 1024 * 1024;
const GOOD_FOR_MS = 30_000;
/** An older one, of plenty, still counts for the append that asks again: nobody waits for the answer then. */
const BELIEVED_FOR_MS = 300_000;
/** Left free beyond what is written: room for the file system's own records, and for what the CLI writes meanwhile. */
const RESERVE_BYTES = 16 * 1024;

/**
 * Whether a volume has room for an append. Asked before writing: an append that fails halfway leaves the beginning of a line at the
 * end of the file, and a CLI that goes on writing there spoils its own line.
 */
export class Room {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  #plenty: { readonly at: UnixMs; bytes: number } | null = null;
  #isLooking = false;

  constructor(fs: FileSystem, clock: Clock) {
    this.#fs = fs;
    this.#clock = clock;
  }

  /** Whether `bytes` more fit. `true` where the system cannot tell. */
  async has(bytes: number): Promise<boolean> {
    const known = this.#plenty;
    const age = this.#clock.now() - (known?.at ?? -Infinity);
    if (known === null || age >= BELIEVED_FOR_MS || known.bytes - bytes <= PLENTY_BYTES) return this.#look(bytes);
    known.bytes -= bytes;
    // A failure is met by the write itself.
    if (age >= GOOD_FOR_MS && !this.#isLooking) void this.#look(0).catch(() => undefined);
    return true;
  }

  async #look(bytes: number): Promise<boolean> {
    this.#isLooking = true;
    try {
      const space = await this.#fs.space('');
      if (space === null) return true;
      this.#plenty = { at: this.#clock.now(), bytes: space.freeBytes - bytes };
      return space.freeBytes >= bytes + Math.min(RESERVE_BYTES, space.totalBytes * 0.01);
    } finally {
      this.#isLooking = false;
    }
  }
}
