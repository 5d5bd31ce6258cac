import { createHash } from 'node:crypto';
import { access, constants } from 'node:fs/promises';
import { execa } from 'execa';
import { SshFailure } from './failures.ts';

const KEYGEN_TIMEOUT_MS = 10_000;

/** A public key as servers offer it. */
export interface HostKey {
  /** For example `ssh-ed25519`. */
  readonly type: string;
  /** The whole key as SSH sends it: the decoded base64 of known_hosts. */
  readonly blob: Buffer;
}

/** What is known of a server's keys. */
export interface KnownHost {
  /** What was looked for: the alias of ssh_config, the host, or `[host]:port` where the port is not 22. */
  readonly name: string;
  readonly files: readonly string[];
  readonly keys: readonly HostKey[];
  /** Keys that must never be accepted (`@revoked`), whatever else is known. */
  readonly revoked: readonly HostKey[];
}

/**
 * The keys of a server in known_hosts files. `ssh-keygen -F` reads them, so that hashed names, patterns and several names in a line
 * mean what they mean to ssh. Files that are missing know nothing. `@cert-authority` lines are left out: host certificates are
 * not asked for, so such a server is judged by its plain key.
 *
 * @param alias HostKeyAlias of ssh_config: looked for as it is, without the port. `null`: none.
 * @throws SshFailure `settings` when a file or ssh-keygen cannot be used: what it says of revoked keys would be overlooked.
 */
export async function knownHostKeys(
  host: string,
  port: number,
  alias: string | null,
  files: readonly string[],
): Promise<KnownHost> {
  const plain = host.toLowerCase();
  const name = alias ?? (port === 22 ? plain : `[${plain}]:${port}`);
  const keys: HostKey[] = [];
  const revoked: HostKey[] = [];
  const found = await Promise.all(files.map((file) => linesAbout(name, file)));
  for (const line of found.flat()) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [, type, base64] = words;
    if (type === undefined || base64 === undefined || (marker !== undefined && marker !== '@revoked')) continue;
    (marker === '@revoked' ? revoked : keys).push({ type, blob: Buffer.from(base64, 'base64') });
  }
  return { name, files, keys, revoked };
}

/**
 * What to think of the key that a server offers, as OpenSSH does: a revoked one is never right; `changed` means that another key of
 * the same type is known; a server that is known by keys of other types only is `unknown`.
 */
export function judgeHostKey(known: KnownHost, offered: HostKey): 'known' | 'unknown' | 'changed' | 'revoked' {
  const isSame = (key: HostKey): boolean => key.blob.equals(offered.blob);
  if (known.revoked.some(isSame)) return 'revoked';
  if (known.keys.some(isSame)) return 'known';
  return known.keys.some(({ type }) => type === offered.type) ? 'changed' : 'unknown';
}

/** The key that a server offers, from the bytes on the wire. Its type is their first string; empty when that makes no sense. */
export function offeredKey(blob: Buffer): HostKey {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  const type = blob.toString('latin1', 4, 4 + Math.min(length, 64));
  return { type: /^[\w.@-]+$/.test(type) ? type : '', blob };
}

/** `SHA256:...` of a public key, as ssh prints it. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

async function linesAbout(name: string, file: string): Promise<string[]> {
  try {
    await access(file, constants.R_OK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw unreadable(file, error instanceof Error ? error.message : String(error), error);
  }
  const asked = await execa('ssh-keygen', ['-F', name, '-f', file], {
    stdin: 'ignore',
    timeout: KEYGEN_TIMEOUT_MS,
    reject: false,
  });
  // 1: the file says nothing of it.
  if (asked.exitCode === 1) return [];
  if (asked.exitCode !== 0) throw unreadable(file, asked.stderr || asked.shortMessage || 'ssh-keygen failed');
  return asked.stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

function unreadable(file: string, why: string, cause?: unknown): SshFailure {
  return new SshFailure('settings', `reading the known hosts in ${file}: ${why.trim()}`, {
    next: `Check that ssh-keygen is installed and that it can read the file: ssh-keygen -l -f ${file}`,
    cause,
  });
}
