import type { Key, RelativePath } from '../domain.ts';
import { unsafeReason } from './safe-path.ts';

/**
 * What a path below claudeDir is. `folder` is the project folder of that machine, `session` a uuid spelled as on disk,
 * `rest` the path below the session's or the project's folder.
 */
export type PathIdentity =
  | { readonly kind: 'transcript'; readonly folder: string; readonly session: string }
  | { readonly kind: 'session-file'; readonly folder: string; readonly session: string; readonly rest: string }
  | { readonly kind: 'project-file'; readonly folder: string; readonly rest: string }
  | { readonly kind: 'history' }
  | { readonly kind: 'plain'; readonly path: RelativePath };

/** What a key names, independent of machines (sync.md section 1). `project` is an id of core/projects. */
export type KeyIdentity =
  | { readonly kind: 'transcript'; readonly session: string }
  | { readonly kind: 'session-file'; readonly session: string; readonly rest: string }
  | { readonly kind: 'project-file'; readonly project: string; readonly rest: string }
  | { readonly kind: 'history' }
  | { readonly kind: 'plain'; readonly path: RelativePath };

/** What a user's text for KEY means. */
export type UserKey =
  | { readonly kind: 'key'; readonly key: Key }
  /** A file of a project, named by a machine's project folder: which project that is only the registry knows. */
  | { readonly kind: 'project-path'; readonly folder: string; readonly rest: string }
  /** `reason` ends a sentence: "`a//b` is not a key: its path is absolute or has an empty part". */
  | { readonly kind: 'not-a-key'; readonly reason: string };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HISTORY_PATH = 'history.jsonl';
const HISTORY_KEY = 'history';

/** A key or path that names nothing. Nothing was read or written; the caller passed on what it should have refused. */
export class MalformedKey extends Error {
  readonly key: string;

  constructor(key: string, reason: string) {
    super(
      `${JSON.stringify(key)} is not a key: ${reason}; nothing was changed. Keys look like session/<uuid> or agents/a.md`,
    );
    this.name = 'MalformedKey';
    this.key = key;
  }
}

/** Whether `text` is spelled like the uuid of a session, in either case. */
export function isSessionUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Takes a path below claudeDir apart. Total: whatever is no session, project file or history is `plain`, also below
 * `projects/`; whether it may be carried is for the rules to say.
 */
export function parsePath(path: RelativePath): PathIdentity {
  if (path === HISTORY_PATH) return { kind: 'history' };
  const [top, folder, name, ...below] = path.split('/');
  if (top !== 'projects' || folder === undefined || name === undefined) return { kind: 'plain', path };
  const rest = below.join('/');
  if (below.length === 0) {
    const session = name.endsWith('.jsonl') ? name.slice(0, -'.jsonl'.length) : '';
    if (isSessionUuid(session)) return { kind: 'transcript', folder, session };
    if (isProjectFile(name)) return { kind: 'project-file', folder, rest: name };
  } else {
    if (isSessionUuid(name)) return { kind: 'session-file', folder, session: name, rest };
    if (isProjectFile(`${name}/${rest}`)) return { kind: 'project-file', folder, rest: `${name}/${rest}` };
  }
  return { kind: 'plain', path };
}

/** Key of a session, or of a file that belongs to it. @throws {MalformedKey} */
export function keyForSession(session: string, rest?: string): Key {
  const key = rest === undefined ? `session/${session}` : `session/${session}/${rest}`;
  return checked(key, rest === undefined ? 'transcript' : 'session-file');
}

/** Key of a file of a project; `rest` is `memory/...` or `agent-*.jsonl`. @throws {MalformedKey} */
export function keyForProject(project: string, rest: string): Key {
  if (project.includes('/'))
    throw new MalformedKey(`project/${project}/${rest}`, 'the project id has more than one part');
  return checked(`project/${project}/${rest}`, 'project-file');
}

/** Takes a key apart. @throws {MalformedKey} also for names that are not safe everywhere. */
export function parseKey(key: Key): KeyIdentity {
  const found = identify(key);
  if (typeof found === 'string') throw new MalformedKey(key, found);
  return found;
}

/**
 * Where the copy of `key` lies below a machine's claudeDir.
 *
 * @param folderName the machine's project folder of the session or project; not used for other keys
 * @throws {MalformedKey} when the key names nothing, or needs a folder and got none
 */
export function pathOfKey(key: Key, folderName: string | null): RelativePath {
  const found = parseKey(key);
  if (found.kind === 'history') return HISTORY_PATH;
  if (found.kind === 'plain') return found.path;
  if (folderName === null || folderName === '' || folderName.includes('/')) {
    throw new MalformedKey(key, `it needs one project folder, not ${JSON.stringify(folderName)}`);
  }
  if (found.kind === 'transcript') return `projects/${folderName}/${found.session}.jsonl`;
  if (found.kind === 'session-file') return `projects/${folderName}/${found.session}/${found.rest}`;
  return `projects/${folderName}/${found.rest}`;
}

/**
 * What a user means by KEY on the command line: a key, a path below claudeDir (relative, absolute, with `~`, with either
 * slash) or a bare session uuid. Never throws.
 *
 * @param claudeDirs absolute claudeDirs of the machines, where known; any `.claude` folder is taken for one too
 */
export function keyFromUserInput(text: string, claudeDirs: readonly string[] = []): UserKey {
  const given = text.trim().replaceAll('\\', '/');
  if (isSessionUuid(given)) return { kind: 'key', key: `session/${given}` };
  const path = belowClaudeDir(given, claudeDirs);
  const at = parsePath(path);
  const unsafe = unsafeReason(path);
  if (unsafe !== null) return { kind: 'not-a-key', reason: unsafe };
  if (at.kind === 'history') return { kind: 'key', key: HISTORY_KEY };
  if (at.kind === 'transcript') return { kind: 'key', key: `session/${at.session}` };
  if (at.kind === 'session-file') return { kind: 'key', key: `session/${at.session}/${at.rest}` };
  if (at.kind === 'project-file') return { kind: 'project-path', folder: at.folder, rest: at.rest };
  const found = identify(path);
  return typeof found === 'string' ? { kind: 'not-a-key', reason: found } : { kind: 'key', key: path };
}

/** The identity of `key`, or why it has none. */
function identify(key: Key): KeyIdentity | string {
  const unsafe = unsafeReason(key);
  if (unsafe !== null) return unsafe;
  if (key === HISTORY_KEY) return { kind: 'history' };
  const [top, name, ...below] = key.split('/');
  const rest = below.join('/');
  if (top === 'session') {
    if (name === undefined || !isSessionUuid(name)) return 'after session/ comes the uuid of a session';
    return rest === '' ? { kind: 'transcript', session: name } : { kind: 'session-file', session: name, rest };
  }
  if (top === 'project') {
    if (name === undefined || !isProjectFile(rest))
      return 'after project/<project>/ comes memory/... or agent-<id>.jsonl';
    return { kind: 'project-file', project: name, rest };
  }
  // One file must not have two keys: what has a machine-independent name is known by that name alone.
  if (top === 'projects' || key === HISTORY_PATH) return 'it is the path of one machine, not a key';
  return { kind: 'plain', path: key };
}

function checked(key: Key, kind: KeyIdentity['kind']): Key {
  if (parseKey(key).kind !== kind) throw new MalformedKey(key, `it does not name a ${kind}`);
  return key;
}

function isProjectFile(rest: string): boolean {
  return /^memory\/./.test(rest) || /^agent-[^/]*\.jsonl$/.test(rest);
}

function belowClaudeDir(path: string, claudeDirs: readonly string[]): RelativePath {
  for (const dir of claudeDirs) {
    const prefix = `${dir.replaceAll('\\', '/').replace(/\/+$/, '')}/`;
    if (path.startsWith(prefix)) return path.slice(prefix.length);
  }
  const absolute = /^(?:~|\/|[A-Za-z]:\/)/.test(path);
  const marker = '/.claude/';
  const found = absolute ? path.indexOf(marker) : -1;
  if (found >= 0) return path.slice(found + marker.length);
  return path.replace(/^(?:\.\/)+/, '');
}

/** The key of a place below claudeDir. @param project id of the project that its folder is of; only asked of project files. */
export function keyOfPlace(at: PathIdentity, project: string | null): Key | null {
  switch (at.kind) {
    case 'transcript':
      return keyForSession(at.session);
    case 'session-file':
      return keyForSession(at.session, at.rest);
    case 'history':
      return 'history';
    case 'plain':
      return at.path;
    case 'project-file':
      return project === null ? null : keyForProject(project, at.rest);
  }
}
