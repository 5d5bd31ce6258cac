import type { RelativePath } from '../../core/domain.ts';

/** The folders that lie in no other one of them; '' is above all. */
export function topmostOf(folders: ReadonlySet<RelativePath>): RelativePath[] {
  return [...folders].filter((folder) => !hasFolderAbove(folder, folders));
}

function hasFolderAbove(path: RelativePath, folders: ReadonlySet<RelativePath>): boolean {
  if (path !== '' && folders.has('')) return true;
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (folders.has(path.slice(0, at))) return true;
  }
  return false;
}
