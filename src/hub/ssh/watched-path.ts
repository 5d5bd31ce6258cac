import type { RelativePath } from '../../core/domain.ts';

/** A path that a watcher named. `isWhole`: all of it could be read, else it is the folder that the unreadable name lies in. */
export interface WatchedPath {
  readonly path: RelativePath;
  readonly isWhole: boolean;
}

/**
 * Where `bytes` lies below `root` (absolute, no slash at the end); `null` when it does not, or is no plain path. Names come as they
 * are (on macOS decomposed or not). The root may be spelled otherwise there, in case and composition, when `isFolded`: FSEvents names
 * it as the disk does, the configuration as the user does.
 */
export function pathBelow(root: string, bytes: Buffer, isFolded = false): WatchedPath | null {
  let at = bytes.length;
  for (;;) {
    const text = textOf(bytes.subarray(0, at));
    if (text !== null) {
      const path = relative(root, text.replace(/\/+$/, ''), isFolded);
      if (path === null || path.split('/').some((part) => ['.', '..'].includes(part) || (part === '' && path !== '')))
        return null;
      return { path, isWhole: at === bytes.length };
    }
    at = bytes.lastIndexOf(0x2f, at - 1);
    if (at <= 0) return null;
  }
}

function relative(root: string, path: string, isFolded: boolean): RelativePath | null {
  if (path === root) return '';
  if (path.startsWith(`${root}/`)) return path.slice(root.length + 1);
  if (!isFolded) return null;
  const depth = root.split('/').length;
  const parts = path.split('/');
  if (folded(parts.slice(0, depth).join('/')) !== folded(root)) return null;
  return parts.slice(depth).join('/');
}

const folded = (path: string): string => path.normalize('NFC').toLowerCase();

function textOf(bytes: Buffer): string | null {
  // Names are bytes; one that is no UTF-8 has no path that could be told.
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : null;
}
