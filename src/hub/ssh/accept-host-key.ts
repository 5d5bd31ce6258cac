import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HostKeyFailure } from './failures.ts';
import { SshFailure } from './failures.ts';

/**
 * Writes the very key that a server offered into the first of the files that were looked in, as ssh writes it. For keys that the user has
 * compared, and only for those: what is in that file is believed from then on.
 * @returns the file. @throws {SshFailure} `host-key-changed` and `host-key-revoked` as they came: these are never accepted here.
 */
export async function acceptHostKey(failure: HostKeyFailure): Promise<string> {
  const { offered } = failure;
  const [file] = offered.files;
  if (failure.code !== 'host-key-unknown' || file === undefined) throw failure;
  const line = `${offered.name} ${offered.type} ${offered.blob.toString('base64')}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, 'a+', 0o600);
    try {
      const { size } = await handle.stat();
      const last = Buffer.alloc(1);
      if (size > 0) await handle.read(last, 0, 1, size - 1);
      // A last line without an end would take the key in.
      await handle.appendFile(size > 0 && last[0] !== 0x0a ? `\n${line}` : line);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new SshFailure(
      'settings',
      `writing the host key of ${offered.server} to ${file}: ${(error as Error).message}`,
      {
        next: 'Make the file writable for the user that the hub runs as, or name another knownHostsFile for this machine.',
        cause: error,
      },
    );
  }
  return file;
}
