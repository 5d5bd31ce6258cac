import type { RelativePath, UnixMs } from '../../core/domain.ts';
import type { Clock } from '../ports/clock.ts';

/** A folder that was looked at is taken for one for this long. */
const GOOD_FOR_MS = 10_000;

/**
 * Folders that were seen to be folders, and no links, a moment ago. Over a network looking at each of them again costs more bytes than
 * many a line. Only what finds the file it expects may rely on it (`walk`): "it is not there" is never said on the word of a cache, and what
 * replaces or removes looks at the whole way.
 */
export class KnownFolders {
  readonly #clock: Clock;
  readonly #seenAt = new Map<RelativePath, UnixMs>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(folder: RelativePath): void {
    this.#seenAt.set(folder, this.#clock.now());
  }

  areKnown(folders: readonly RelativePath[]): boolean {
    const oldest = this.#clock.now() - GOOD_FOR_MS;
    return folders.every((folder) => (this.#seenAt.get(folder) ?? -Infinity) >= oldest);
  }

  /** Something was not as expected. */
  forget(): void {
    this.#seenAt.clear();
  }
}
