import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import type { FileSystemErrorCode } from '../../../src/hub/ports/file-system.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';
import { Ground } from './ground.ts';

describe('the local disk', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
    ground.write('file', 'text');
  });
  afterEach(() => ground.remove());

  const fails = (running: Promise<unknown>, code: FileSystemErrorCode): Promise<void> =>
    assert.rejects(running, (error) => FileSystemError.is(error, code));

  it('gives every failure the code that the protocols know', async () => {
    const { fs } = ground;
    mkdirSync(ground.at('folder/inner'), { recursive: true });
    symlinkSync('file', ground.at('link'));
    await fails(fs.open('none', 'read'), 'missing');
    await fails(fs.open('file/below', 'read'), 'missing');
    await fails(fs.open('none', 'append'), 'missing');
    await fails(fs.open('file', 'create'), 'exists');
    await fails(fs.open('link', 'append'), 'not-a-file');
    await fails(fs.open('folder', 'read'), 'not-a-file');
    await fails(fs.open('x'.repeat(300), 'create'), 'name-too-long');
    await fails(fs.makeFolder('folder'), 'exists');
    await fails(fs.removeFolder('folder'), 'not-empty');
    await fails(fs.list('none'), 'missing');
    await fails(fs.unlink('none'), 'missing');
    await fails(fs.hardLink('file', 'link'), 'exists');
    assert.deepEqual(
      [await fs.lstat('none'), await fs.lstat('file/below'), await fs.realPath('none')],
      [null, null, null],
    );
  });

  it('does not wait for a writer when a FIFO took the place of a file', async () => {
    execFileSync('mkfifo', [ground.at('pipe')]);
    await fails(ground.fs.open('pipe', 'read'), 'not-a-file');
    await fails(ground.fs.open('pipe', 'append'), 'not-a-file');
  });

  it('renames without overwriting, and leaves one name', async () => {
    ground.write('other', 'mine');
    await fails(ground.fs.rename('file', 'other'), 'exists');
    await ground.fs.rename('file', 'new');
    assert.deepEqual([ground.text('other'), ground.text('new'), ground.exists('file')], ['mine', 'text', false]);
    assert.equal(lstatSync(ground.at('new')).nlink, 1);
  });

  it('keeps the order of calls that are not awaited, whatever their length', async () => {
    const file = await ground.fs.open('file', 'append');
    const long = Buffer.alloc(300_000, 'a');
    const running = [
      file.write(long),
      file.write(Buffer.from('b')),
      file.stat(),
      file.read(4, 300_001),
      file.close(),
    ] as const;
    const [, , stat, read] = await Promise.all(running);
    assert.equal(stat.size, 300_005);
    assert.ok(read.equals(Buffer.concat([long, Buffer.from('b')])));
    await fails(file.stat(), 'io');
  });

  it('appends behind what others wrote meanwhile, and never creates', async () => {
    const file = await ground.fs.open('file', 'append');
    writeFileSync(ground.at('file'), '!', { flag: 'a' });
    await file.write(Buffer.from('end'));
    await file.close();
    assert.equal(ground.text('file'), 'text!end');
  });

  it('lists what is there without following symlinks, with facts that equal those of a look', async () => {
    symlinkSync('file', ground.at('link'));
    mkdirSync(ground.at('folder'));
    linkSync(ground.at('file'), ground.at('second'));
    const entries = await ground.fs.list('');
    assert.deepEqual(entries.map((entry) => `${entry.name} ${entry.type}`).sort(), [
      'file file',
      'folder folder',
      'link symlink',
      'second file',
    ]);
    for (const { name, ...stat } of entries) assert.deepEqual(stat, await ground.fs.lstat(name));
  });

  it('keeps a name that is no UTF-8 from passing for absent', async function () {
    if (process.platform !== 'linux') return this.skip();
    writeFileSync(Buffer.concat([Buffer.from(`${ground.root}/bad`), Buffer.from([0xff])]), '');
    const odd = (await ground.fs.list('')).filter((entry) => entry.name.startsWith('bad'));
    assert.deepEqual(
      odd.map((entry) => entry.type),
      ['other'],
    );
  });

  it('keeps times to the fraction of a millisecond it can read, also through setTimes', async () => {
    await ground.fs.setTimes('file', 1_700_000_000_123);
    assert.equal((await ground.fs.lstat('file'))?.mtimeMs, 1_700_000_000_123);
  });

  it('takes a root that is a symlink, and says when the root is gone', async () => {
    symlinkSync(ground.root, `${ground.root}-link`);
    const fs = createNodeFileSystem(`${ground.root}-link`);
    try {
      assert.equal((await fs.lstat(''))?.type, 'folder');
      assert.equal((await fs.lstat('file'))?.size, 4);
    } finally {
      execFileSync('rm', [`${ground.root}-link`]);
    }
    assert.equal(await fs.lstat(''), null);
  });
});
