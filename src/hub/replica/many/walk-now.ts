import type { RelativePath } from '../../../core/domain.ts';
import { lstatOrNull } from '../node-file-system.ts';
import { componentsOf, failedLook, judged, refusedPath } from '../safe-walk.ts';
import type { ComponentLook, Walk } from '../safe-walk.ts';

/** `walk` with synchronous calls, for a thread that does nothing else. `root` is the absolute claudeDir. */
export function walkNow(root: string, path: RelativePath): Walk {
  const refusal = refusedPath(path);
  if (refusal !== null) return refusal;
  const paths = componentsOf(path);
  let isOpen = true;
  const looks = paths.map((at): ComponentLook => {
    // What is behind a component that is no folder is not asked for: a symlink there would be followed.
    const look: ComponentLook = isOpen ? lookNow(root, at) : { kind: 'stat', stat: null };
    isOpen &&= look.kind === 'stat' && look.stat?.type === 'folder';
    return look;
  });
  return judged(paths, looks);
}

function lookNow(root: string, at: RelativePath): ComponentLook {
  try {
    return { kind: 'stat', stat: lstatOrNull(`${root}/${at}`, at) };
  } catch (error) {
    return failedLook(at, error);
  }
}
