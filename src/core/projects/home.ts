import type { MachineOs } from '../domain.ts';

/**
 * One spelling of an absolute path for comparing and joining: `/`-separated, without a slash at the end; on Windows also without
 * the slash that SFTP puts before the drive (`/C:/Users`). `null` when it is not absolute or has `.` or `..` in it: recorded
 * paths never do, and a hostile one must not climb out of where it seems to be.
 */
export function canonicalPath(path: string, os: MachineOs): string | null {
  const id = `${os} ${path}`;
  let known = canonical.get(id);
  if (known === undefined) {
    known = spell(path, os);
    // Every folder is compared with every project: some hundred paths, each thousands of times.
    if (canonical.size >= REMEMBERED) canonical.clear();
    canonical.set(id, known);
  }
  return known;
}

/** What was answered last; the answer depends on nothing else. */
const canonical = new Map<string, string | null>();
const REMEMBERED = 4_096;

function spell(path: string, os: MachineOs): string | null {
  let spelled = path;
  if (os === 'windows') spelled = spelled.replaceAll('\\', '/').replace(/^\/(?=[A-Za-z]:(?:\/|$))/, '');
  const absolute = os === 'windows' ? /^(?:[A-Za-z]:(?:\/|$)|\/)/.test(spelled) : spelled.startsWith('/');
  if (!absolute || spelled.split('/').some((part) => part === '.' || part === '..')) return null;
  // Two leading slashes are a network share on Windows and nothing special elsewhere.
  const share = os === 'windows' && spelled.startsWith('//') ? '/' : '';
  const trimmed = share + spelled.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  return trimmed === '' ? '/' : trimmed;
}

/**
 * The form in which two canonical paths, or parts of them, of a machine are equal when they are one folder there: Windows and
 * macOS ignore case and composition.
 */
export function caseForm(path: string, os: MachineOs): string {
  return os === 'linux' ? path : path.normalize('NFC').toLowerCase();
}

/**
 * `path` relative to `ancestor`, `/`-separated, `''` when they are the same folder; `null` when it does not lie below it.
 * Both are absolute paths of one machine, in any spelling that its system has.
 */
export function relativeTo(path: string, ancestor: string, os: MachineOs): string | null {
  const below = canonicalPath(path, os);
  const top = canonicalPath(ancestor, os);
  if (below === null || top === null) return null;
  const parts = below.split('/');
  const topParts = top === '/' ? [''] : top.split('/');
  const same = (part: string, at: number): boolean => caseForm(part, os) === caseForm(parts[at] ?? '', os);
  if (parts.length < topParts.length || !topParts.every(same)) return null;
  return parts
    .slice(topParts.length)
    .filter((part) => part !== '')
    .join('/');
}

/**
 * `path` relative to the user's home folder, `/`-separated, spelled as given, `''` for home itself; `null` when it lies elsewhere.
 * The same project usually has the same one on every machine although the home folders differ (sync.md section 5).
 */
export function homeRelative(path: string, home: string, os: MachineOs): string | null {
  return relativeTo(path, home, os);
}

/**
 * The absolute path of `relative` (as from `homeRelative`) below `home`, spelled as Claude Code records it on that system:
 * with `\` on Windows, whatever the spelling of `home`.
 */
export function fromHome(relative: string, home: string, os: MachineOs): string {
  const top = canonicalPath(home, os) ?? home;
  const joined = relative === '' ? top : `${top === '/' ? '' : top}/${relative}`;
  if (os !== 'windows') return joined;
  return (/^[A-Za-z]:$/.test(joined) ? `${joined}/` : joined).replaceAll('/', '\\');
}
