/** Lines are continued up to this length and this often: no URL needs more, and a hostile file must not make the joining slow. */
const MAX_CONTINUED_LENGTH = 1024;
const MAX_CONTINUED_LINES = 16;

/**
 * URL of the remote that a repository is known by: `origin`, else the only one there is. As configured: it may hold credentials,
 * so it goes to `normaliseRemote` and nowhere else. `insteadOf` is not applied, because it is local to one machine.
 *
 * @param text content of a git `config` file; what git would reject is skipped, never thrown
 * @returns `null` when there is none or the choice is not clear
 */
export function remoteFromGitConfig(text: string): string | null {
  const urls = new Map<string, string>();
  let remote: string | null = null;
  for (const line of logicalLines(text)) {
    const section = /^\s*\[\s*([^\s\]"]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\](.*)$/.exec(line);
    if (section !== null) remote = remoteName(section[1] ?? '', section[2]);
    const rest = section === null ? line : (section[3] ?? '');
    const entry = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*=(.*)$/.exec(rest);
    if (remote === null || entry === null || entry[1]?.toLowerCase() !== 'url') continue;
    const url = value(entry[2] ?? '');
    // Of several URLs git fetches from the first.
    if (url !== '' && !urls.has(remote)) urls.set(remote, url);
  }
  const origin = urls.get('origin');
  if (origin !== undefined) return origin;
  const [only] = urls.values();
  return urls.size === 1 && only !== undefined ? only : null;
}

/**
 * Where the git folder of a worktree or submodule lies, from its `.git` *file*; relative to that file's folder unless absolute.
 * `null` when the text is no such file.
 */
export function gitDirFromDotGit(text: string): string | null {
  const [line = '', ...more] = text.split(/\r?\n/);
  const path = /^gitdir:\s*(.+?)\s*$/.exec(line)?.[1];
  if (path === undefined || path.includes('\0') || more.some((each) => each.trim() !== '')) return null;
  return path;
}

/** The git folder that holds the `config` for `gitDir`: a worktree shares the one of its repository, a submodule has its own. */
export function commonGitDir(gitDir: string): string {
  return gitDir.replace(/[\\/]+$/, '').replace(/[\\/]worktrees[\\/][^\\/]+$/, '');
}

/** Lines with continuations joined: a backslash at the end, outside a comment, goes on with the next line. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  let pieces = 0;
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const joined = open + line;
    const backslash = /(?:^|[^\\])(?:\\\\)*\\$/.test(line);
    const short = joined.length <= MAX_CONTINUED_LENGTH && pieces < MAX_CONTINUED_LINES;
    const goesOn = backslash && short && !scan(joined).comment;
    open = goesOn ? joined.slice(0, -1) : '';
    pieces = goesOn ? pieces + 1 : 0;
    if (!goesOn) lines.push(joined);
  }
  if (open !== '') lines.push(open);
  return lines;
}

/** Name of the remote that a section is about; section names ignore case, quoted subsections do not. */
function remoteName(section: string, quoted: string | undefined): string | null {
  if (quoted !== undefined) return section.toLowerCase() === 'remote' ? quoted.replace(/\\(.)/g, '$1') : null;
  return /^remote\.(.+)$/i.exec(section)?.[1]?.toLowerCase() ?? null;
}

/** A value as git reads it: quotes and escapes resolved, comment and outer blanks gone. */
function value(text: string): string {
  return scan(text.trimStart()).value;
}

function scan(text: string): { value: string; comment: boolean } {
  let read = '';
  let kept = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '"') {
      quoted = !quoted;
    } else if (!quoted && (char === '#' || char === ';')) {
      return { value: read.slice(0, kept), comment: true };
    } else if (char === '\\') {
      read += unescaped(text.charAt(++at));
      kept = read.length;
      continue;
    } else {
      read += char;
    }
    if (quoted || !/\s/.test(char)) kept = read.length;
  }
  return { value: read.slice(0, kept), comment: false };
}

function unescaped(char: string): string {
  if (char === 'n') return '\n';
  if (char === 't') return '\t';
  if (char === 'b') return '\b';
  return char;
}
