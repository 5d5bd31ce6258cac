import type { RelativePath } from '../../core/domain.ts';
import type { Hint } from './replica.ts';

/**
 * Something that notices changes in one claudeDir. What it says are hints: late, doubled or wrong ones are harmless,
 * because every hint only makes the hub look (docs/sync.md section 8).
 */
export interface WatchSource {
  /** What the user is shown: `inotify`, `chokidar`, `inotifywait`, `fswatch`, `poll`. */
  readonly name: string;
  /**
   * Begins to watch; resolves when everything that exists is covered, so that a scan started afterwards misses nothing. A source
   * with `cover` covers nothing by itself. Called again, it begins anew: the earlier watch has ended then.
   * @param onHint a path below claudeDir to look at again; '' with kind `folder` asks for a full scan.
   * @param onTrouble why something may go unnoticed from now on; the caller answers with more frequent scans.
   */
  start(onHint: (hint: Hint) => void, onTrouble: (reason: string) => void): Promise<void>;
  /**
   * For a source that watches each folder by itself: the scan names the folders that it is about to list, so that nobody has to
   * list the tree a second time to find them. What appears in a folder after this call is told, what was there is in the listing.
   */
  readonly cover?: (folders: readonly RelativePath[]) => void;
  /** Ends it; no hint comes after it has resolved. */
  close(): Promise<void>;
}
