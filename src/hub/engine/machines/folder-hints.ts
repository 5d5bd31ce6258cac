import type { RelativePath } from '../../../core/domain.ts';
import type { Clock } from '../../ports/clock.ts';
import { topmostOf } from '../../replica/topmost-folders.ts';

/** More folders than this are found by one look at everything, which costs less. */
const MOST_FOLDERS = 32;
/** After a scan that took a second, two more pass before what was told meanwhile is scanned: a first sync makes thousands of folders. */
const REST = 2;
/** Longest time between two scans, ms. */
const LONGEST_REST_MS = 3_000;

/** What told folders lead to. */
export interface FolderHintsOptions {
  readonly clock: Clock;
  /** Scans a folder with all that is in it; '': everything. */
  readonly scan: (folder: RelativePath) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Folders that a watcher tells of, scanned one after the other. The first is scanned at once; those that are told of meanwhile wait, and a
 * folder above covers those below it.
 */
export class FolderHints {
  readonly #options: FolderHintsOptions;
  #waiting = new Set<RelativePath>();
  #running: Promise<void> | null = null;

  constructor(options: FolderHintsOptions) {
    this.#options = options;
  }

  /** Resolves when the folder has been scanned after this call. */
  heard(folder: RelativePath): Promise<void> {
    this.#waiting.add(folder);
    return (this.#running ??= this.#run());
  }

  async #run(): Promise<void> {
    const { clock, scan, onTrouble } = this.#options;
    try {
      while (this.#waiting.size > 0) {
        const told = this.#waiting;
        this.#waiting = new Set();
        const topmost = topmostOf(told);
        const startedAt = clock.now();
        for (const folder of topmost.length > MOST_FOLDERS ? [''] : topmost) await scan(folder).catch(onTrouble);
        if (this.#waiting.size === 0) return;
        const restMs = Math.min(LONGEST_REST_MS, REST * (clock.now() - startedAt));
        await new Promise<void>((resolve) => clock.after(restMs, resolve));
      }
    } finally {
      // In the turn of the last look at what waits: what is told later begins a run of its own.
      this.#running = null;
    }
  }
}
