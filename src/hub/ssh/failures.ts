import { stripVTControlCharacters } from 'node:util';

/**
 * What kept a connection from being made or cut it; stable, for programs.
 *
 * `settings`: ssh_config or the tools of OpenSSH said no. `unreachable`: no SSH server answered. `host-key-*`: one answered, and
 * nothing shows that it is the right one. `no-key`, `key-needs-passphrase`, `key-refused`: it did not let this user in.
 * `no-sftp`, `no-exec`: it does not offer that. `lost`: the connection is gone.
 */
export type SshFailureCode =
  | 'settings'
  | 'unreachable'
  | 'host-key-unknown'
  | 'host-key-changed'
  | 'host-key-revoked'
  | 'no-key'
  | 'key-needs-passphrase'
  | 'key-refused'
  | 'no-sftp'
  | 'no-exec'
  | 'lost';

const NOTHING_CHANGED = 'Nothing was changed, here or there.';
const OUTCOME_UNKNOWN = 'Requests that were under way may or may not have taken effect.';

/** A failure of a connection that a user can meet. Its message is `reason`, `unchanged` and `next` together. */
export class SshFailure extends Error {
  readonly code: SshFailureCode;
  /** What was tried and why it failed, without a full stop at the end. */
  readonly reason: string;
  /** What the failure left as it was. */
  readonly unchanged: string;
  /** The next step for the user. */
  readonly next: string;

  constructor(
    code: SshFailureCode,
    reason: string,
    more: { readonly next: string; readonly unchanged?: string; readonly cause?: unknown },
  ) {
    const unchanged = more.unchanged ?? NOTHING_CHANGED;
    super(`${reason}. ${unchanged} ${more.next}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'SshFailure';
    this.code = code;
    this.reason = reason;
    this.unchanged = unchanged;
    this.next = more.next;
  }

  /** Whether `error` is one of these, of one of `codes` when any are given. */
  static is(error: unknown, ...codes: SshFailureCode[]): error is SshFailure {
    return error instanceof SshFailure && (codes.length === 0 || codes.includes(error.code));
  }
}

/** The host key that a server offered, and where it was looked for. */
export interface OfferedHostKey {
  /** `user@host:port`. */
  readonly server: string;
  /** Name of the server in known_hosts, such as `[rog.local]:2222`. */
  readonly name: string;
  /** For example `ssh-ed25519`. */
  readonly type: string;
  /** The key as it is in known_hosts, decoded. */
  readonly blob: Buffer;
  /** `SHA256:...`, as ssh prints it. */
  readonly fingerprint: string;
  /** The files that were looked in; the first is the one to write to. */
  readonly files: readonly string[];
  /** Types of keys that are known of this server. */
  readonly knownTypes: readonly string[];
}

/** The server could not show that it is the right one. It was told nothing about the user: the connection ended before that. */
export class HostKeyFailure extends SshFailure {
  readonly type: string;
  readonly fingerprint: string;
  readonly files: readonly string[];
  /** All that is known of the key, to accept this very one. */
  readonly offered: OfferedHostKey;

  constructor(verdict: 'unknown' | 'changed' | 'revoked', offered: OfferedHostKey) {
    super(`host-key-${verdict}`, hostKeyReason(verdict, offered), { next: hostKeyNext(verdict, offered) });
    this.name = 'HostKeyFailure';
    this.type = offered.type;
    this.fingerprint = offered.fingerprint;
    this.files = offered.files;
    this.offered = offered;
  }
}

function hostKeyReason(verdict: 'unknown' | 'changed' | 'revoked', offered: OfferedHostKey): string {
  const { server, name, type, fingerprint, files, knownTypes } = offered;
  const shown = `${server} offered the ${type} host key ${fingerprint}`;
  const where = files.length === 0 ? 'no file of known hosts is in use' : `looked in ${files.join(', ')}`;
  if (verdict === 'revoked') return `${shown}, which is marked @revoked for ${name} (${where})`;
  if (verdict === 'changed')
    return `${shown}, which is not the one that is known of ${name} (${where}): the machine has a new key, or another machine answers in its place`;
  const others = knownTypes.length === 0 ? '' : `; known are only its keys of other types: ${knownTypes.join(', ')}`;
  return `${shown}, and no ${type} key of ${name} is known (${where}${others})`;
}

/**
 * The accepting command writes the very key that was offered. Fetching it again (ssh-keyscan) would take whatever answers then,
 * knows nothing of jump hosts, and could be another key than the one that was compared.
 */
function hostKeyNext(verdict: 'unknown' | 'changed' | 'revoked', offered: OfferedHostKey): string {
  const { name, type, blob, files } = offered;
  if (verdict === 'revoked')
    return 'Give that machine a new host key; do not connect to it before. Should the mark be a mistake, remove its line.';
  const [file] = files;
  if (file === undefined) return 'Name a knownHostsFile for this machine in the configuration.';
  const remove = files.map((each) => `ssh-keygen -R ${quoted(name)} -f ${quoted(each)}`);
  const accept = `echo ${quoted(`${name} ${type} ${blob.toString('base64')}`)} >> ${quoted(file)}`;
  return [
    `Compare the fingerprint on that machine itself: ${showFingerprint(type)}`,
    'Only if it is the same, accept the key:',
    ...(verdict === 'changed' ? remove : []),
    accept,
  ].join('\n');
}

/** The command that shows the fingerprint of a machine's own host key, run there. `type` for example `ssh-ed25519`. */
export function showFingerprint(type: string): string {
  return `ssh-keygen -lf /etc/ssh/ssh_host_${type.startsWith('ecdsa') ? 'ecdsa' : type.replace(/^ssh-/, '')}_key.pub`;
}

/** What was tried to sign in. */
export interface SignInAttempts {
  /** `user@host:port`. */
  readonly server: string;
  /** The keys that the server was asked about, in order. */
  readonly tried: readonly string[];
  /** Key files that only their passphrase opens and that the agent does not hold. */
  readonly locked: readonly string[];
  /** Files that could not be used, and why. */
  readonly unusable: readonly string[];
  /** For example `the agent holds 2 keys` or `no agent`. */
  readonly agent: string;
  /** What the server said, `serverText`. Empty when it said nothing. */
  readonly said: string;
}

/** The server is the right one and does not let this user in. */
export class SignInFailure extends SshFailure {
  readonly attempts: SignInAttempts;

  constructor(code: 'no-key' | 'key-needs-passphrase' | 'key-refused', attempts: SignInAttempts) {
    super(code, signInReason(code, attempts), { next: signInNext(code, attempts) });
    this.name = 'SignInFailure';
    this.attempts = attempts;
  }
}

function signInReason(code: SshFailureCode, attempts: SignInAttempts): string {
  const { server, tried, locked, unusable, agent, said } = attempts;
  const notes = [
    agent,
    ...(locked.length === 0 ? [] : [`locked by a passphrase: ${locked.join(', ')}`]),
    ...unusable,
    ...(said === '' ? [] : [`the server said: ${said}`]),
  ].join('; ');
  if (code === 'key-needs-passphrase')
    return `signing in to ${server}: the key is locked by a passphrase, and no agent holds it (${notes})`;
  if (code === 'no-key') return `signing in to ${server}: there is no key to try (${notes})`;
  if (tried.length === 0) return `signing in to ${server}: no key could be tried (${notes})`;
  return `${server} refused ${tried.length === 1 ? 'the key that was' : 'all keys that were'} tried: ${tried.join(', ')} (${notes})`;
}

function signInNext(code: SshFailureCode, { server, tried, locked }: SignInAttempts): string {
  const [, user = '', host = '', port = ''] = /^(.*)@(.*):(\d+)$/.exec(server) ?? [];
  const there = `-p ${port} ${quoted(`${user}@${host.replace(/^\[(.*)\]$/, '$1')}`)}`;
  if (code === 'key-needs-passphrase')
    return `A key with a passphrase is used through an ssh-agent only. Give it to the agent: ssh-add ${quoted(locked[0] ?? '')}`;
  if (code === 'no-key')
    return `Make a key (ssh-keygen -t ed25519), let it in there (ssh-copy-id ${there}), or name one as identityFile of this machine.`;
  const file = tried.find((each) => !each.startsWith('agent'));
  const which = file === undefined ? '' : `-i ${quoted(file.replace(/ \(agent\)$/, ''))} `;
  const many = tried.length < 5 ? '' : ' A server ends after six tries: name the right key as identityFile.';
  return `Let the key in there: ssh-copy-id ${which}${there}${many}`;
}

/** How a server is named to the user: `user@host:port`. */
export function serverName(server: {
  readonly user: string;
  readonly hostname: string;
  readonly port: number;
}): string {
  const host = server.hostname.includes(':') ? `[${server.hostname}]` : server.hostname;
  return `${server.user}@${host}:${server.port}`;
}

const SERVER_TEXT_CHARACTERS = 200;
/** C0, DEL, C1, and the Unicode marks that hide or reorder text. */
// eslint-disable-next-line no-control-regex -- removing exactly these is the purpose
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/g;

/** What a server said, fit to be shown: one line, no control characters, at most 200 characters. It is hostile until it signed in. */
export function serverText(text: string): string {
  const line = stripVTControlCharacters(text).replace(UNPRINTABLE, ' ').trim();
  return line.length <= SERVER_TEXT_CHARACTERS ? line : `${line.slice(0, SERVER_TEXT_CHARACTERS)}...`;
}

/** No SSH server answered as it should. */
export function unreachable(server: string, why: string, next: string, cause?: unknown): SshFailure {
  return new SshFailure('unreachable', `connecting to ${server}: ${why}`, { next, cause });
}

/** The connection is gone. */
export function lost(server: string, why: string, cause?: unknown): SshFailure {
  return new SshFailure('lost', `the connection to ${server} is gone: ${why}`, {
    unchanged: OUTCOME_UNKNOWN,
    next: 'It is made again by itself as soon as the machine can be reached.',
    cause,
  });
}

/** A word of a POSIX shell, quoted where it has to be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./[\]~-]+$/.test(word) && !/[[\]~]/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
