import type { Hint } from './replica.ts';

/**
 * Something that notices changes in one claudeDir. What it says are hints: late, doubled or wrong ones are harmless,
 * because every hint only makes the hub look (docs/sync.md section 8).
 */
export interface WatchSource {
  /** What the user is shown: `inotify`, `chokidar`, `inotifywait`, `fswatch`, `poll`. */
  readonly name: string;
  /**
   * Begins to watch; resolves when everything that exists is covered, so that a scan started afterwards misses nothing.
   * Called again, it begins anew: the earlier watch has ended then.
   * @param onHint a path below claudeDir to look at again; '' with kind `folder` asks for a full scan.
   * @param onTrouble why something may go unnoticed from now on; the caller answers with more frequent scans.
   */
  start(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void>;
  /** Ends it; no hint comes after it has resolved. */
  close(): Promise<void>;
}
