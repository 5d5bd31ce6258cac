import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type SFTPWrapper } from 'ssh2';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { skewed } from '../../fixtures/ssh/skewed.ts';
import { Sshd } from '../../fixtures/ssh/sshd.ts';

const DAY = 86_400;

describe('a machine of the tests whose clock is another', () => {
  let folder: string;
  let sshd: Sshd | null;
  let client: Client;

  before(skipWhere(() => whyNoSshd()));

  beforeEach(async () => {
    sshd = null;
    client = new Client();
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-skewed-'));
  });

  afterEach(async () => {
    client.destroy();
    await sshd?.stop();
    await rm(folder, { recursive: true });
  });

  async function open(seconds: number): Promise<SFTPWrapper> {
    sshd = await Sshd.start({ ...skewed(seconds, folder), folder: join(folder, 'sshd'), home: folder });
    client.connect({
      host: sshd.address,
      port: sshd.port,
      username: 'root',
      privateKey: await readFile(sshd.identityFile),
    });
    await once(client, 'ready');
    return promisify(client.sftp.bind(client))();
  }

  for (const seconds of [DAY, -DAY]) {
    it(`shows and takes every time of its own (${seconds} s)`, async () => {
      const sftp = await open(seconds);
      const file = join(folder, 'file');
      await writeFile(file, 'bytes of a file');
      const at = 1_700_000_000;
      await utimes(file, at, at);
      const seen = await promisify(sftp.stat.bind(sftp))(file);
      assert.deepEqual([seen.mtime, seen.size], [at + seconds, 15]);
      assert.equal((await promisify(sftp.lstat.bind(sftp))(file)).mtime, at + seconds);
      const listed = await promisify(sftp.readdir.bind(sftp))(folder);
      assert.equal(listed.find(({ filename }) => filename === 'file')?.attrs.mtime, at + seconds);

      // A file that is made now is of now by the clock of that machine.
      const handle = await new Promise<Buffer>((resolve, reject) =>
        sftp.open(join(folder, 'new'), 'w', (error, opened) => (error ? reject(error) : resolve(opened))),
      );
      const made = await promisify(sftp.fstat.bind(sftp))(handle);
      assert.ok(Math.abs(made.mtime - seconds - Date.now() / 1_000) < 60);
      await promisify(sftp.futimes.bind(sftp))(handle, at, at);
      assert.equal((await promisify(sftp.fstat.bind(sftp))(handle)).mtime, at);
      assert.equal((await stat(join(folder, 'new'))).mtimeMs / 1_000, at - seconds);
      await promisify(sftp.close.bind(sftp))(handle);
      await promisify(sftp.setstat.bind(sftp))(file, { mtime: at, atime: at, mode: 0o600 });
      assert.equal((await stat(file)).mtimeMs / 1_000, at - seconds);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.equal(await promisify<string, string>(sftp.realpath.bind(sftp))('.'), folder);
      const all = await promisify<string, Buffer>(sftp.readFile.bind(sftp))(file);
      assert.equal(all.toString(), 'bytes of a file');
    });
  }
});
