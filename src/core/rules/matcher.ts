import picomatch from 'picomatch';
import type { RelativePath } from '../domain.ts';
import { parsePath } from '../keys/key.ts';
import type { PathIdentity } from '../keys/key.ts';
import { GlobPrefix } from './glob-prefix.ts';
import type { PathRow } from './table.ts';

/** Ending of globs that mean a whole folder. */
const TREE = '/**';

/** Beginning of globs that mean a name at any depth. */
const ANY_DEPTH = '**/';

/** One row of the path table, made ready for matching. */
export class RowMatcher {
  /** The one first folder that the row can match in, in lower case; `null` when there are several. */
  readonly top: string | null;
  /** For `**` + `/NAME...` rows: some part of a path has to match this, else the row does not match; `null` for other rows. */
  readonly anyDepthName: string | null;
  readonly #patterns: readonly RegExp[];
  /** Number of parts a matching path has, where the glob says so. */
  readonly #depth: number | null;
  readonly #fits: PathIdentity['kind'] | null;
  readonly #prefix: GlobPrefix;
  readonly #tree: RegExp | null;

  /** @param allowed whether files that match are carried; such rows match more narrowly than denying ones */
  constructor(row: PathRow, allowed: boolean) {
    const { glob } = row;
    const options = { dot: true, nocase: row.sync === 'never' };
    const tree = glob.endsWith(TREE) ? glob.slice(0, -TREE.length) : null;
    // `agents/**` also matches a file `agents`, which no other machine could put where it has a folder.
    const globs = [allowed && tree !== null ? `${glob}/*` : glob];
    // What lies in a folder that is named like a secret is taken for one.
    if (row.class === 'secret' && tree === null) globs.push(glob + TREE);
    this.#patterns = globs.map((each) => picomatch.makeRe(each, options));

    const first = glob.split('/')[0] ?? '';
    this.top = /[*?]/.test(first) ? null : first.toLowerCase();
    this.anyDepthName = glob.startsWith(ANY_DEPTH) ? (tree ?? glob).slice(ANY_DEPTH.length) : null;
    this.#depth = globs.some((each) => each.includes('**')) ? null : glob.split('/').length;
    this.#fits = allowed ? identityKind(row) : null;
    this.#prefix = new GlobPrefix(glob);
    this.#tree = !allowed && tree !== null ? picomatch.makeRe(tree, options) : null;
  }

  /** Whether the row decides about `path`, which has `depth` parts. */
  matches(path: RelativePath, depth: number): boolean {
    if (this.#depth !== null && this.#depth !== depth) return false;
    if (!this.#patterns.some((pattern) => pattern.test(path))) return false;
    // Below `projects/` only what belongs to a session or a project has a key; the mere shape of such a path is not enough.
    return this.#fits === null || parsePath(path).kind === this.#fits;
  }

  /** Whether the row could decide about something below a folder, given the folders from claudeDir down. */
  mayMatchBelow(folders: readonly string[]): boolean {
    return this.#prefix.mayMatchBelow(folders);
  }

  /** For a denying row of the form `X` + `/**`: whether `folder` is X, so that everything below it is denied. */
  deniesAllOf(folder: string): boolean {
    return this.#tree !== null && this.#tree.test(folder);
  }
}

/**
 * Whether any of `matchers` that look for a name at any depth could match, asked once per part of a path: these rows come first,
 * hardly ever match, and would be the dearest.
 */
export function anyDepthSuspect(matchers: readonly RowMatcher[]): (parts: readonly string[]) => boolean {
  const names = matchers.flatMap((matcher) => matcher.anyDepthName ?? []);
  const patterns = names.map((name) => picomatch.makeRe(name, { dot: true, nocase: true }).source);
  const any = new RegExp(patterns.join('|'), 'i');
  return (parts) => parts.some((part) => any.test(part));
}

function identityKind(row: PathRow): PathIdentity['kind'] | null {
  if (!row.glob.startsWith('projects/')) return null;
  if (row.class === 'transcript') return 'transcript';
  return row.glob.startsWith('projects/*/*/') ? 'session-file' : 'project-file';
}
