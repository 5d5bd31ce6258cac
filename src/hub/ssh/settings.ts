import { userInfo } from 'node:os';
import { expandHome } from '../config/expand-home.ts';
import { SshFailure } from './failures.ts';
import { askSsh, expandTokens } from './ssh-config.ts';
import type { SshAnswer } from './ssh-config.ts';

/** A machine as the configuration names it (`sshMachine` of the schema). Paths may begin with `~`. */
export interface SshTarget {
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFile?: string | undefined;
  readonly knownHostsFile?: string | undefined;
}

/** A private key that may be tried, or the public half of one that an agent holds. */
export interface IdentityFile {
  readonly path: string;
  /** Somebody named it. The others are the names that ssh tries by itself. */
  readonly named: boolean;
}

/** How a server is reached. */
export type Via =
  | { readonly kind: 'direct' }
  /** Through another server, which is reached in its own way. */
  | { readonly kind: 'jump'; readonly through: SshSettings }
  /** Through the input and output of a command of the local shell. */
  | { readonly kind: 'command'; readonly command: string };

/** Everything that is needed to connect to a server. Paths are absolute. */
export interface SshSettings {
  /** As it was asked for: what a user would write behind `ssh`. */
  readonly host: string;
  /** The name or address behind it. */
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** 0: whatever the name has. */
  readonly family: 0 | 4 | 6;
  /** In the order in which they are tried. */
  readonly identityFiles: readonly IdentityFile[];
  /** Of the agent's keys only those of `identityFiles` are tried. */
  readonly identitiesOnly: boolean;
  /** Socket or pipe of the agent; `null`: none is used. */
  readonly agent: string | null;
  readonly knownHostsFiles: readonly string[];
  /** Name under which the host key is known instead of the host's; `null`: the host's. */
  readonly hostKeyAlias: string | null;
  /** Signature algorithms of host keys that ssh would accept, preferred first; `null`: nobody said. */
  readonly hostKeyAlgorithms: readonly string[] | null;
  /** Compression of ssh_config. */
  readonly compress: boolean;
  /** ConnectTimeout of ssh_config, ms; `null`: nobody said. */
  readonly connectTimeoutMs: number | null;
  readonly via: Via;
}

/** Where settings come from besides the target. */
export interface SettingsSources {
  /** Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Instead of the user's and the system's ssh_config. */
  readonly configFile?: string;
  /** What `~` stands for. Default: the home folder of the user, as ssh has it (not `$HOME`). */
  readonly home?: string;
}

/** Deeper is a loop: a jump host that is reached through itself. */
const MOST_JUMPS = 8;
const DEFAULT_PORT = 22;
/** Names of the keys that ssh tries when nobody names one. */
const USUAL_KEY = /^(~|%d|.*)[/\\]\.ssh[/\\]id_(rsa|dsa|ecdsa|ed25519|xmss|ecdsa_sk|ed25519_sk)$/;
/** Characters that a shell would make something of. ssh refuses them in names as well. */
const SHELL_CHARACTERS = /[\s'"`$\\;&<>|(){}*?!#~]/;

/**
 * The settings of a machine: what the configuration says, and for the rest what the user's own ssh would do.
 * An `identityFile` of the configuration is the only key that is tried (a named key that is not accepted must not end in six tries
 * of others), and a `knownHostsFile` the only file that host keys are looked for in. Without ssh on this computer: the usual values.
 *
 * @throws SshFailure `settings` when ssh refuses, or uses something that is not done here.
 */
export async function resolveSshSettings(target: SshTarget, sources: SettingsSources = {}): Promise<SshSettings> {
  const { homedir, username } = userInfo();
  const known = {
    env: sources.env ?? process.env,
    configFile: sources.configFile,
    home: sources.home ?? homedir,
    localUser: username,
  };
  return resolve(target, known, null, 0);
}

interface Known {
  readonly env: NodeJS.ProcessEnv;
  readonly configFile: string | undefined;
  readonly home: string;
  readonly localUser: string;
}

/** @param via given for a jump host behind another one: what its own ssh_config says of that does not count then. */
async function resolve(target: SshTarget, known: Known, via: Via | null, depth: number): Promise<SshSettings> {
  const { env, configFile, home, localUser } = known;
  const answer = await askSsh({ host: target.host, port: target.port, user: target.user, configFile, env });
  const hostname = answer?.one('hostname') ?? target.host;
  const port = target.port ?? Number(answer?.one('port') ?? DEFAULT_PORT);
  const user = target.user ?? answer?.one('user') ?? localUser;
  const tokens = { d: home, h: hostname, n: target.host, p: String(port), r: user, u: localUser };
  const path = (written: string): string => expandHome(expandTokens(withVariables(written, env), tokens), home);

  const identityFiles =
    target.identityFile !== undefined
      ? [{ path: expandHome(target.identityFile, home), named: true }]
      : (answer?.all('identityfile') ?? ['~/.ssh/id_ed25519'])
          .filter((file) => file !== 'none')
          .map((file) => ({ path: path(file), named: !USUAL_KEY.test(file) }));
  const knownHostsFiles =
    target.knownHostsFile !== undefined
      ? [expandHome(target.knownHostsFile, home)]
      : answer === null
        ? [path('~/.ssh/known_hosts')]
        : [...answer.paths('userknownhostsfile'), ...answer.paths('globalknownhostsfile')].map(path);
  const seconds = Number(answer?.one('connecttimeout') ?? 0);

  return {
    host: target.host,
    hostname,
    port,
    user,
    family: FAMILIES[answer?.one('addressfamily') ?? 'any'] ?? 0,
    identityFiles,
    identitiesOnly: target.identityFile !== undefined || answer?.one('identitiesonly') === 'yes',
    agent: agentOf(answer, env, path),
    knownHostsFiles,
    hostKeyAlias: answer?.one('hostkeyalias') ?? null,
    hostKeyAlgorithms: answer?.one('hostkeyalgorithms')?.split(',') ?? null,
    compress: answer?.one('compression') === 'yes',
    connectTimeoutMs: seconds > 0 ? seconds * 1000 : null,
    via: via ?? (await viaOf(target.host, answer, tokens, known, depth)),
  };
}

const FAMILIES: Readonly<Record<string, 0 | 4 | 6>> = { any: 0, inet: 4, inet6: 6 };

function agentOf(answer: SshAnswer | null, env: NodeJS.ProcessEnv, path: (written: string) => string): string | null {
  const usual = env['SSH_AUTH_SOCK'] ?? (process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : '');
  const written = answer?.all('identityagent')[0] ?? 'SSH_AUTH_SOCK';
  if (written === 'none') return null;
  const [, variable] = /^\$(\w+)$/.exec(written) ?? [];
  const agent = written === 'SSH_AUTH_SOCK' ? usual : variable !== undefined ? env[variable] : path(written);
  return agent === undefined || agent === '' ? null : agent;
}

async function viaOf(
  host: string,
  answer: SshAnswer | null,
  tokens: Readonly<Record<string, string>>,
  known: Known,
  depth: number,
): Promise<Via> {
  const command = answer?.one('proxycommand') ?? null;
  if (command !== null) {
    if (answer?.one('proxyusefdpass') === 'yes')
      throw unsupported(host, 'ssh_config sets ProxyUseFdpass', 'Use a ProxyCommand that passes the bytes itself.');
    const risky = [tokens['h'] ?? '', tokens['r'] ?? '', tokens['n'] ?? ''].find((word) => SHELL_CHARACTERS.test(word));
    if (risky !== undefined)
      throw unsupported(host, `"${risky}" would be put into the command of ProxyCommand`, 'Use a plain name.');
    return { kind: 'command', command: expandTokens(command, tokens) };
  }
  const chain = answer?.one('proxyjump') ?? null;
  if (chain === null) return { kind: 'direct' };
  if (depth >= MOST_JUMPS)
    throw unsupported(
      host,
      `there are more than ${MOST_JUMPS} jump hosts`,
      'Look for a host that jumps through itself.',
    );
  // Only the first host of a chain is reached as its own ssh_config says: the chain says how the others are.
  let through: SshSettings | null = null;
  for (const spec of expandTokens(chain, tokens).split(',')) {
    const via: Via | null = through === null ? null : { kind: 'jump', through };
    through = await resolve(parseJump(host, spec), known, via, depth + 1);
  }
  return through === null ? { kind: 'direct' } : { kind: 'jump', through };
}

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`; an IPv6 address is in brackets. */
function parseJump(host: string, spec: string): SshTarget {
  const written = spec.trim().replace(/^ssh:\/\//, '');
  const at = written.lastIndexOf('@');
  const place = written.slice(at + 1).replace(/\/$/, '');
  const parts = /^(?:\[([^\]]+)\]|([^:]+)|([0-9a-fA-F:]+))(?::(\d+))?$/.exec(place);
  const jump = parts?.[1] ?? parts?.[2] ?? parts?.[3];
  if (jump === undefined || jump.startsWith('-'))
    throw unsupported(host, `the jump host "${spec}" makes no sense`, 'Write [user@]host[:port].');
  return {
    host: jump,
    user: at > 0 ? written.slice(0, at) : undefined,
    port: parts?.[4] === undefined ? undefined : Number(parts[4]),
  };
}

/** `${NAME}` with the value of the variable, as ssh_config has it. */
function withVariables(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name: string) => env[name] ?? whole);
}

function unsupported(host: string, why: string, next: string): SshFailure {
  return new SshFailure('settings', `reaching ${host}: ${why}`, { next });
}
