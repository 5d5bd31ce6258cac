import picomatch from 'picomatch';
import type { DeleteKind, Key, MergeKind, PathClass, RelativePath } from '../domain.ts';
import { MalformedKey, isSessionUuid, pathOfKey } from '../keys/key.ts';
import { collisionForm, unsafeReason } from '../keys/safe-path.ts';
import { RowMatcher, anyDepthSuspect } from './matcher.ts';
import { PATH_TABLE } from './table.ts';
import type { OptIn, PathRow } from './table.ts';

/** What becomes of one file. */
export interface Rule {
  /** Whether it may leave or reach a machine at all. */
  readonly allowed: boolean;
  readonly class: PathClass;
  /** `null` when not allowed. */
  readonly merge: MergeKind | null;
  /** `null` when not allowed. */
  readonly delete: DeleteKind | null;
  /** From a machine with trust `data` it waits for approval (sync.md section 10). */
  readonly executableContent: boolean;
  /** Why it is not carried, as a sentence for the user without a full stop; `null` when allowed. */
  readonly denial: string | null;
}

/** The path table under one configuration. Immutable; make a new one when the configuration changes. */
export interface Rules {
  /** The rule for a path below claudeDir. Never throws: a path that is not safe is denied. */
  ofPath(path: RelativePath): Rule;
  /** The rule for a key. Never throws: what is no key is denied. Does not ask `excludesKey`. */
  ofKey(key: Key): Rule;
  /**
   * Whether anything allowed may lie below a folder (path with a trailing `/`; `''` is claudeDir). `false` prunes a scan, so it
   * is only said when certain.
   */
  folderWanted(folder: string): boolean;
  /** Whether the user's `sync.exclude` takes this key out. Excluding later is not a delete (sync.md section 4). */
  excludesKey(key: Key): boolean;
}

/** What the configuration says about files. */
export interface RulesOptions {
  /** Classes that are off by default (`sync.include`). */
  readonly include: readonly OptIn[];
  /** picomatch globs on keys (`sync.exclude`); `!` has no special meaning. */
  readonly exclude: readonly string[];
}

/** A row with what it says under one configuration. */
interface Entry {
  readonly rule: Rule;
  readonly never: boolean;
  readonly matcher: RowMatcher;
}

const SESSION = 'session/';
const ANY_UUID = '00000000-0000-4000-8000-000000000000';
/** `-home-me-project`, `C--Users-me-project`: nothing that a row on names could mean. */
const PROJECT_FOLDER = /^(?:[A-Za-z]-)?-[A-Za-z0-9-]*$/;

/** Stands for a project folder when a rule is asked for by key: no row looks at the name of one. */
const ANY_FOLDER = '-';

/** How many first folders keep their list of candidate rows; real trees have a few dozen. */
const MAX_TOPS = 512;

/** How many keys keep their rule: status asks for the rules of all heads again and again. */
const MAX_KEYS = 50_000;

/** How many folders keep their answer: each is asked for when it is watched and whenever it is listed. */
const MAX_FOLDERS = 20_000;

/** In ASCII, case is all that can differ, and the patterns see to that. */
const BEYOND_ASCII = /[^\u0020-\u007e]/;

/** Makes the rules of one configuration. */
export function createRules(options: RulesOptions): Rules {
  const included = new Set<OptIn>(options.include);
  const entries = PATH_TABLE.map((row) => toEntry(row, included));
  const suspect = anyDepthSuspect(entries.map((entry) => entry.matcher));
  const excluded = options.exclude.map((glob) => picomatch(glob, { dot: true, nonegate: true }));
  const entriesByTop = new Map<string, readonly Entry[]>();
  const rulesOfKeys = new Map<Key, Rule>();
  const wantedFolders = new Map<string, boolean>();

  /** Rows that can match below or at the first name `top`, in table order: most rows speak of one folder only. */
  function entriesFor(top: string): readonly Entry[] {
    const known = entriesByTop.get(top);
    if (known !== undefined) return known;
    const found = entries.filter(({ matcher }) => matcher.top === null || matcher.top === top);
    if (entriesByTop.size >= MAX_TOPS) entriesByTop.clear();
    entriesByTop.set(top, found);
    return found;
  }

  function ofPath(path: RelativePath): Rule {
    const unsafe = unsafeReason(path);
    if (unsafe !== null) return deny('local', `not synced because ${unsafe}`);
    // A name that only differs in its spelling from a denied one opens the same file on some systems.
    const folded = collisionForm(path);
    const other = BEYOND_ASCII.test(path) ? folded : null;
    const parts = path.split('/');
    const [top = ''] = folded.split('/', 1);
    const anyDepth = suspect(parts) || (other !== null && suspect(other.split('/')));
    for (const { rule, never, matcher } of entriesFor(top)) {
      if (matcher.anyDepthName !== null && !anyDepth) continue;
      if (matcher.matches(path, parts.length)) return rule;
      if (never && other !== null && matcher.matches(other, parts.length)) return rule;
    }
    return deny('local', 'not synced because nothing is known about it');
  }

  function folderWanted(folder: string): boolean {
    const path = likeAnyOther(folder.replace(/\/+$/, ''));
    const known = wantedFolders.get(path);
    if (known !== undefined) return known;
    const isWanted = path === '' || mayHoldFiles(path);
    if (wantedFolders.size >= MAX_FOLDERS) wantedFolders.clear();
    wantedFolders.set(path, isWanted);
    return isWanted;
  }

  function mayHoldFiles(path: string): boolean {
    const folders = path.split('/');
    if (folders[0] === 'projects' && !mayHoldProjectFiles(folders)) return false;
    const ancestors = folders.map((_, at) => folders.slice(0, at + 1).join('/'));
    const [top = ''] = collisionForm(path).split('/');
    for (const { rule, matcher } of entriesFor(top)) {
      if (rule.allowed && matcher.mayMatchBelow(folders)) return true;
      // Order counts: a row that denies the whole folder only hides the rows after it.
      if (ancestors.some((ancestor) => matcher.deniesAllOf(ancestor))) return false;
    }
    return false;
  }

  function ofKey(key: Key): Rule {
    const known = rulesOfKeys.get(key);
    if (known !== undefined) return known;
    const other = ofAnySession(key);
    const rule = other === key ? found(key) : ofKey(other);
    if (rulesOfKeys.size >= MAX_KEYS) rulesOfKeys.clear();
    rulesOfKeys.set(key, rule);
    return rule;
  }

  function found(key: Key): Rule {
    const path = representativePath(key);
    return path === null ? deny('local', 'not synced because it is not a key') : ofPath(path);
  }

  return {
    ofPath,
    ofKey,
    folderWanted,
    excludesKey: (key) => excluded.some((matches) => matches(key)),
  };
}

function toEntry(row: PathRow, included: ReadonlySet<OptIn>): Entry {
  const allowed = row.sync === 'yes' || (row.optIn !== null && included.has(row.optIn));
  const { class: pathClass, merge, delete: del, executableContent } = row;
  const rule: Rule = allowed
    ? { allowed, class: pathClass, merge, delete: del, executableContent, denial: null }
    : deny(pathClass, denialOf(row));
  return { rule, never: row.sync === 'never', matcher: new RowMatcher(row, allowed) };
}

function deny(pathClass: PathClass, denial: string): Rule {
  return { allowed: false, class: pathClass, merge: null, delete: null, executableContent: false, denial };
}

function denialOf(row: PathRow): string {
  const what = row.note === '' ? row.class : row.note;
  if (row.sync === 'never') return `never synced (${what})`;
  if (row.optIn !== null) return `not synced (${what}) unless the configuration includes "${row.optIn}"`;
  return `not synced (${what})`;
}

function mayHoldProjectFiles(folders: readonly string[]): boolean {
  const name = folders[2];
  return name === undefined || name === 'memory' || isSessionUuid(name);
}

/** No row looks at which session it is: all of them share one remembered answer. */
function ofAnySession(key: Key): Key {
  const uuid = key.slice(SESSION.length, SESSION.length + ANY_UUID.length);
  return key.startsWith(SESSION) && isSessionUuid(uuid)
    ? `${SESSION}${ANY_UUID}${key.slice(SESSION.length + ANY_UUID.length)}`
    : key;
}

/** The same for the folders of projects, as Claude Code names them, and of sessions in them. */
function likeAnyOther(folder: RelativePath): RelativePath {
  const [first, project, session, ...rest] = folder.split('/');
  if (first !== 'projects' || project === undefined || !PROJECT_FOLDER.test(project)) return folder;
  const at = session !== undefined && isSessionUuid(session) ? ANY_UUID : session;
  return [first, ANY_FOLDER, ...(at === undefined ? [] : [at]), ...rest].join('/');
}

/** A path with the same rule as `key`, `null` when it is no key. */
function representativePath(key: Key): RelativePath | null {
  try {
    return pathOfKey(key, ANY_FOLDER);
  } catch (error) {
    if (error instanceof MalformedKey) return null;
    throw error;
  }
}
