import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemError, type FileSystemErrorCode } from '../../../src/hub/ports/file-system.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';
import { signal } from '../../fixtures/ssh/sshd.ts';

const fails = (running: Promise<unknown>, code: FileSystemErrorCode): Promise<void> =>
  assert.rejects(running, (error) => FileSystemError.is(error, code));

describe('files over SFTP', () => {
  let ground: SftpGround;
  const at = (path: string): string => join(ground.root, path);
  const text = (path: string): string => readFileSync(at(path), 'utf8');
  before(async () => {
    ground = await SftpGround.open();
  });
  after(() => ground.close());
  beforeEach(() => {
    rmSync(ground.root, { recursive: true, force: true });
    mkdirSync(ground.root);
    writeFileSync(at('file'), 'text');
  });

  it('gives every failure the code that the protocols know', async () => {
    const { fs } = ground;
    mkdirSync(at('folder/inner'), { recursive: true });
    symlinkSync('file', at('link'));
    await fails(fs.open('none', 'read'), 'missing');
    await fails(fs.open('file/below', 'read'), 'missing');
    await fails(fs.open('none', 'append'), 'missing');
    await fails(fs.open('file', 'create'), 'exists');
    await fails(fs.open('folder', 'append'), 'not-a-file');
    await fails(fs.open('x'.repeat(300), 'create'), 'name-too-long');
    await fails(fs.makeFolder('folder'), 'exists');
    await fails(fs.makeFolder('none/below'), 'missing');
    await fails(fs.removeFolder('folder'), 'not-empty');
    await fails(fs.list('none'), 'missing');
    await fails(fs.unlink('none'), 'missing');
    await fails(fs.rename('none', 'other'), 'missing');
    await fails(fs.renameOver('none', 'file'), 'missing');
    await fails(fs.hardLink('file', 'link'), 'exists');
    await fails(fs.hardLink('none', 'other'), 'missing');
    assert.deepEqual(
      [await fs.lstat('none'), await fs.lstat('file/below'), await fs.realPath('none')],
      [null, null, null],
    );
  });

  it('renames without overwriting, and leaves one name', async () => {
    writeFileSync(at('other'), 'mine');
    await fails(ground.fs.rename('file', 'other'), 'exists');
    await ground.fs.rename('file', 'new');
    assert.deepEqual([text('other'), text('new'), existsSync(at('file'))], ['mine', 'text', false]);
    assert.equal(lstatSync(at('new')).nlink, 1);
    await ground.fs.renameOver('new', 'other');
    assert.deepEqual([text('other'), existsSync(at('new'))], ['text', false]);
  });

  it('keeps the order of calls that are not awaited, whatever their length', async () => {
    const file = await ground.fs.open('file', 'append');
    const long = Buffer.alloc(700_000, 'a');
    const running = [
      file.write(long),
      file.write(Buffer.from('b')),
      file.stat(),
      file.read(4, 700_001),
      file.close(),
    ] as const;
    const [, , stat, read] = await Promise.all(running);
    assert.equal(stat.size, 700_005);
    assert.ok(read.equals(Buffer.concat([long, Buffer.from('b')])));
    await fails(file.stat(), 'io');
  });

  it('sends what is called at once in one round trip', async () => {
    const file = await ground.fs.open('file', 'append');
    ground.traffic.length = 0;
    await Promise.all([
      file.write(Buffer.from('line\n')),
      file.setTimes(1_700_000_000_000),
      file.stat(),
      file.read(4, 5),
    ]);
    assert.deepEqual(ground.traffic, [...Array(4).fill('asked'), ...Array(4).fill('answered')]);
    await file.close();
  });

  it('appends behind what others wrote meanwhile, and never creates', async () => {
    const file = await ground.fs.open('file', 'append');
    writeFileSync(at('file'), '!', { flag: 'a' });
    await file.write(Buffer.from('end'));
    await file.close();
    assert.equal(text('file'), 'text!end');
  });

  it('ends a read at the end of the file, wherever the read began', async () => {
    writeFileSync(at('long'), Buffer.alloc(600_000, 'x'));
    const file = await ground.fs.open('long', 'read');
    assert.deepEqual(
      [
        (await file.read(0, 1_048_576)).length,
        (await file.read(599_990, 100)).length,
        (await file.read(700_000, 5)).length,
      ],
      [600_000, 10, 0],
    );
    await file.close();
  });

  it('lists what is there without following symlinks, with facts that equal those of a look', async () => {
    symlinkSync('file', at('link'));
    mkdirSync(at('folder'));
    linkSync(at('file'), at('second'));
    execFileSync('mkfifo', [at('pipe')]);
    const entries = await ground.fs.list('');
    assert.deepEqual(entries.map((entry) => `${entry.name} ${entry.type}`).sort(), [
      'file file',
      'folder folder',
      'link symlink',
      'pipe other',
      'second file',
    ]);
    for (const { name, ...stat } of entries) assert.deepEqual(stat, await ground.fs.lstat(name));
  });

  it('lists a folder of thousands completely', async () => {
    mkdirSync(at('many'));
    for (let index = 0; index < 3_000; index += 1) writeFileSync(at(`many/${index}`), '');
    assert.equal(new Set((await ground.fs.list('many')).map((entry) => entry.name)).size, 3_000);
  });

  it('keeps a name that is no UTF-8 from passing for absent', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${ground.root}/bad`), Buffer.from([0xff])]), '');
    const odd = (await ground.fs.list('')).filter((entry) => entry.name.startsWith('bad'));
    assert.deepEqual(
      odd.map((entry) => entry.type),
      ['other'],
    );
  });

  it('keeps times to the second, of a symlink its own', async () => {
    symlinkSync('file', at('link'));
    const before = lstatSync(at('file')).mtimeMs;
    await ground.fs.setTimes('link', 1_600_000_000_999);
    assert.equal((await ground.fs.lstat('link'))?.mtimeMs, 1_600_000_000_000);
    assert.equal(lstatSync(at('file')).mtimeMs, before);
    const file = await ground.fs.open('file', 'append');
    await file.setTimes(1_700_000_000_123);
    assert.equal((await file.stat()).mtimeMs, 1_700_000_000_000);
    await file.close();
  });

  it('makes new files that only their owner can read, and that can be run when they are to be', async () => {
    const file = await ground.fs.open('script', 'create');
    await Promise.all([file.write(Buffer.from('#!/bin/sh\n')), file.setExecutable(true), file.sync()]);
    assert.equal((await file.stat()).executable, true);
    await file.close();
    assert.equal(lstatSync(at('script')).mode & 0o777, 0o700);
    await ground.fs.makeFolder('private');
    assert.equal(lstatSync(at('private')).mode & 0o777, 0o700);
  });

  it('tells the space on the volume', async () => {
    const space = await ground.fs.space('');
    assert.ok(space !== null && space.freeBytes > 0 && space.totalBytes >= space.freeBytes);
  });
});

describe('files over SFTP in trouble', () => {
  it('a full disk is told from other failures, and nothing follows half a line', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'claude-sync-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=3', 'tmpfs', mount]);
    let ground: SftpGround | null = null;
    try {
      ground = await SftpGround.open({ root: mount });
      writeFileSync(join(mount, 'log'), '');
      const file = await ground.fs.open('log', 'append');
      const line = (length: number): Buffer => Buffer.from(`${'x'.repeat(length - 1)}\n`);
      const writes = await Promise.allSettled([
        ...Array.from({ length: 5 }, () => file.write(line(250_000))),
        file.write(line(10)),
      ]);
      await file.close();
      assert.deepEqual(
        writes.map((write) => (write.status === 'fulfilled' ? 'done' : FileSystemError.is(write.reason, 'no-space'))),
        ['done', 'done', 'done', 'done', true, true],
      );
      const rest = readFileSync(join(mount, 'log'));
      assert.ok(rest.subarray(0, 1_000_000).equals(Buffer.concat(Array(4).fill(line(250_000)))));
      assert.ok(!rest.subarray(1_000_000).includes(0x0a));
      await fails(
        ground.fs.makeFolder('folder').then(() => ground!.fs.makeFolder('folder/inner')),
        'no-space',
      );
    } finally {
      await ground?.close();
      execFileSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    }
  });

  it('a connection that ends fails everything under way, and everything after it', async () => {
    const ground = await SftpGround.open();
    try {
      const [server] = await ground.servers();
      assert.ok(server !== undefined);
      signal(server, 'SIGSTOP');
      const looks = [ground.fs.lstat('a'), ground.fs.list('')];
      signal(server, 'SIGKILL');
      for (const look of looks) await fails(look, 'disconnected');
      assert.ok(ground.lost !== null);
      await fails(ground.fs.lstat('a'), 'disconnected');
    } finally {
      await ground.close();
    }
  });

  it('a server process that hangs is noticed although sshd answers for it', async () => {
    const ground = await SftpGround.open({ silentMs: 600 });
    try {
      const [server] = await ground.servers();
      assert.ok(server !== undefined);
      signal(server, 'SIGSTOP');
      await fails(ground.fs.lstat('a'), 'disconnected');
      assert.match(String(ground.lost), /no answer for/);
      signal(server, 'SIGCONT');
    } finally {
      await ground.close();
    }
  });
});
