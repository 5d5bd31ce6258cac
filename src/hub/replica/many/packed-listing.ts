import type { RelativePath } from '../../../core/domain.ts';
import { FileSystemError, type Entry, type FileSystemErrorCode } from '../../ports/file-system.ts';
import type { FolderListing } from '../scan.ts';

/** Numbers for each entry: size, mtime, device and inode, type and executable bit. */
const FIELDS = 5;
const TYPES = ['file', 'folder', 'symlink', 'other'] as const satisfies readonly Entry['type'][];
const EXECUTABLE = TYPES.length;

/** A listing as it goes from a thread to another: thousands of small objects take longer to hand over than to list. */
export type PackedListing =
  | { readonly names: readonly string[]; readonly facts: Float64Array }
  | { readonly code: FileSystemErrorCode; readonly reason: string };

/** @param listing entries whose `inode` is `device-number`, as `entryStat` makes it, or ''. */
export function packListing(listing: FolderListing): PackedListing {
  if (listing instanceof FileSystemError) return { code: listing.code, reason: listing.message };
  const facts = new Float64Array(listing.length * FIELDS);
  for (const [index, entry] of listing.entries()) {
    const [device, number] = entry.inode === '' ? [-1, -1] : entry.inode.split('-').map(Number);
    const type = TYPES.indexOf(entry.type) + (entry.executable ? EXECUTABLE : 0);
    facts.set([entry.size, entry.mtimeMs, device ?? -1, number ?? -1, type], index * FIELDS);
  }
  return { names: listing.map((entry) => entry.name), facts };
}

/** The listing that was packed. @param folder for the failure. */
export function unpackListing(folder: RelativePath, packed: PackedListing): FolderListing {
  if ('code' in packed) return new FileSystemError(packed.code, 'list', folder, new Error(packed.reason));
  const { names, facts } = packed;
  return names.map((name, index): Entry => {
    const at = index * FIELDS;
    const device = facts[at + 2] ?? -1;
    const type = facts[at + 4] ?? 0;
    return {
      name,
      type: TYPES[type % EXECUTABLE] ?? 'other',
      size: facts[at] ?? 0,
      mtimeMs: facts[at + 1] ?? 0,
      inode: device === -1 ? '' : `${device}-${facts[at + 3] ?? 0}`,
      executable: type >= EXECUTABLE,
    };
  });
}
