import { createHash } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { SshFailure } from '../ssh/failures.ts';

const KEYSCAN_MS = 10_000;
/** Ports that systems do not give out by themselves. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

/** The port at the hub of a machine that nobody gave one: always the same for the same name. */
export function usualPort(machine: string): number {
  return FIRST_PORT + (createHash('sha256').update(machine).digest().readUInt32BE(0) % PORTS);
}

/**
 * The host keys of this computer's own SSH server, as `type base64`. Asked over the loopback, where nobody is in between.
 * @throws {SshFailure} no SSH server runs here.
 */
export async function ownHostKeys(sshdPort: number): Promise<string[]> {
  const asked = await execa('ssh-keyscan', ['-T', '5', '-p', String(sshdPort), '127.0.0.1'], {
    ...{ stdin: 'ignore', timeout: KEYSCAN_MS, reject: false },
  });
  const keys = asked.stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => /^\S+ ([\w@.-]+ [A-Za-z0-9+/=]+)$/.exec(line.trim())?.[1] ?? []);
  if (keys.length > 0) return [...new Set(keys)];
  throw new SshFailure('unreachable', `no SSH server answers on this computer at port ${sshdPort}`, {
    next: 'Switch it on (Linux: sudo systemctl enable --now ssh; macOS: System Settings, Sharing, Remote Login), or name its port with --sshd-port.',
  });
}

/** What a line for the hub's key in authorized_keys allows: commands and files, and only through the forward of this computer. */
export function authorizedLine(publicKey: string, hub: string): string {
  const [type = '', blob = ''] = publicKey.trim().split(/\s+/);
  return `restrict,from="127.0.0.1,::1" ${type} ${blob} claude-sync hub ${hub.replace(/[^\w.@:[\]-]/g, '_')}`;
}

/** Whether a key is let in already. */
export async function isAuthorized(file: string, publicKey: string): Promise<boolean> {
  const blob = publicKey.trim().split(/\s+/)[1] ?? '';
  try {
    return (await readFile(file, 'utf8'))
      .split('\n')
      .some((line) => !line.startsWith('#') && line.split(/\s+/).includes(blob));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Adds a line to authorized_keys; file and folder are made for this user alone. */
export async function authorize(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'a+', 0o600);
  try {
    const before = await handle.readFile('utf8');
    await handle.appendFile(before === '' || before.endsWith('\n') ? `${line}\n` : `\n${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
