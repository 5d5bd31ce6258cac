export { commonGitDir, gitDirFromDotGit, remoteFromGitConfig } from './git-config.ts';

/** Ports that say nothing, by scheme. */
const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['https', '443'],
  ['http', '80'],
  ['ssh', '22'],
  ['git', '9418'],
  ['ftp', '21'],
  ['ftps', '990'],
]);

/** Hosts that serve ssh under another name or port, for networks that block port 22. */
const SSH_ALIASES: ReadonlyMap<string, string> = new Map([
  ['ssh.github.com:443', 'github.com'],
  ['altssh.gitlab.com:443', 'gitlab.com'],
  ['altssh.bitbucket.org:443', 'bitbucket.org'],
]);

/** Hosts on which `User/Repo` and `user/repo` are one repository. */
const CASELESS_HOSTS: ReadonlySet<string> = new Set(['github.com', 'gitlab.com', 'bitbucket.org']);

/**
 * One name for a git remote however it is reached: `github.com/owner/repo` for `https://token@github.com/owner/repo.git` and
 * for `git@github.com:owner/repo`. No credentials, no port that the scheme implies, no `.git`.
 *
 * @returns `null` for local paths and for what is no URL of a repository: they identify nothing on another machine
 */
export function normaliseRemote(url: string): string | null {
  const given = url.trim();
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(given)) return null;
  const parts = fromUrl(given) ?? fromScpLike(given);
  if (parts === null) return null;
  const host = SSH_ALIASES.get(parts.host) ?? parts.host;
  const path = parts.path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')
    .replace(/\.git$/i, '')
    .replace(/\/$/, '');
  if (host === '' || path === '' || path.split('/').includes('..')) return null;
  return `${host}/${CASELESS_HOSTS.has(host) ? path.toLowerCase() : path}`;
}

/** `host` in lower case, with `:port` only where the port matters. */
interface RemoteParts {
  readonly host: string;
  readonly path: string;
}

function fromUrl(url: string): RemoteParts | null {
  const found = /^(?:git\+)?([a-z][a-z0-9]*)(?:\+(?:ssh|https?))?:\/\/([^/?#]*)([^?#]*)/i.exec(url);
  if (found === null) return null;
  const [, scheme = '', authority = '', path = ''] = found;
  const defaultPort = DEFAULT_PORTS.get(scheme.toLowerCase());
  if (defaultPort === undefined) return null;
  return { host: hostOf(authority, defaultPort), path };
}

/** `user@host:path` and `[user@host:port]:path`. A colon after a slash belongs to a path, and one letter before it is a drive. */
function fromScpLike(text: string): RemoteParts | null {
  const found = /^((?:[^@/:[\]]+@)?\[[^\]]*\]|\[[^\]]*\]|[^/:]+):(?![:/]{2})(.+)$/.exec(text);
  if (found === null) return null;
  const [, authority = '', path = ''] = found;
  if (/^[A-Za-z]$/.test(authority) || path.startsWith(':')) return null;
  // `user:token@host:path` is no address that git knows, and would put the token into the name.
  if (/^[^/]*@[^/]*:/.test(path)) return null;
  const bracketed = /^\[([^\]]*)\]$/.exec(authority)?.[1];
  // `[host:22]` wraps host and port, `[::1]` an address.
  const wraps = bracketed !== undefined && (bracketed.match(/:/g) ?? []).length <= 1;
  return { host: hostOf(wraps ? bracketed : authority, '22'), path };
}

function hostOf(authority: string, defaultPort: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const port = /:([0-9]*)$/.exec(host)?.[1];
  if (port === undefined || host.endsWith(']')) return host.replace(/\.$/, '');
  const name = host.slice(0, -port.length - 1).replace(/\.$/, '');
  return port === '' || port === defaultPort ? name : `${name}:${port}`;
}
