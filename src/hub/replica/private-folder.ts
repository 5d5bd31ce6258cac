import type { RelativePath } from '../../core/domain.ts';

/** The only folder in a claudeDir that is the product's own. Never scanned, never synced. */
export const PRIVATE_FOLDER = '.claude-sync';
/** Files being written, on the volume of claudeDir so that they can be renamed into place. */
export const TEMP_FOLDER = `${PRIVATE_FOLDER}/tmp`;
/** Files put aside. */
export const UNDO_FOLDER = `${PRIVATE_FOLDER}/undo`;
/** Holds the replica id. */
export const MARKER_FILE = `${PRIVATE_FOLDER}/replica-id`;

/** Says which hub syncs this folder, and that it lives. */
export const HUB_MARK_FILE = `${PRIVATE_FOLDER}/hub.json`;

/** Whether `path` is the private folder or lies in it. Case is ignored: on some volumes `.Claude-Sync` is the same folder. */
export function isPrivate(path: RelativePath): boolean {
  const first = path.split('/', 1)[0] ?? '';
  return first.toLowerCase() === PRIVATE_FOLDER;
}
