import type { RelativePath, UnixMs } from '../../../core/domain.ts';

/** For this long after a file was made, a hint about it is most likely the echo of that. */
const ECHOES_MS = 2_000;
/** Files that are remembered for their echoes. */
const REMEMBERED = 4_096;

/**
 * Files that the hub makes on one machine, many at a time. The watcher tells of each; without this every one of ten thousand
 * would be queued and reconciled once more. Nothing is ever decided by it but when and how the file is looked at: own writes are
 * recognised by their result (docs/sync.md section 8).
 */
export class OwnWrites {
  /** Path -> whether something was heard of it while it was being made. */
  readonly #underWay = new Map<RelativePath, boolean>();
  readonly #madeAt = new Map<RelativePath, UnixMs>();

  begin(paths: Iterable<RelativePath>): void {
    for (const path of paths) this.#underWay.set(path, false);
  }

  /** @returns the paths that something was heard of meanwhile: they are to be looked at now. */
  end(paths: Iterable<RelativePath>, now: UnixMs): RelativePath[] {
    const heard: RelativePath[] = [];
    for (const path of paths) {
      if (this.#underWay.get(path) === true) heard.push(path);
      this.#underWay.delete(path);
      this.#madeAt.delete(path);
      this.#madeAt.set(path, now);
    }
    for (const path of this.#madeAt.keys()) {
      if (this.#madeAt.size <= REMEMBERED) break;
      this.#madeAt.delete(path);
    }
    return heard;
  }

  /** Whether the file is being made right now; then `end` tells that something was heard of it. */
  hold(path: RelativePath): boolean {
    if (!this.#underWay.has(path)) return false;
    this.#underWay.set(path, true);
    return true;
  }

  /** Whether a hint about this path is worth a look before anything is queued. */
  mayEcho(path: RelativePath, now: UnixMs): boolean {
    const at = this.#madeAt.get(path);
    if (at === undefined) return false;
    if (now - at <= ECHOES_MS) return true;
    this.#madeAt.delete(path);
    return false;
  }
}
