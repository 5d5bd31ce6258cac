import assert from 'node:assert/strict';
import { FileSystemError } from '../../src/hub/ports/file-system.ts';
import { createMemoryFileSystem } from './memory-file-system.ts';
import { Volume } from './volume.ts';

describe('the file system of the simulation', () => {
  const make = (
    options: Partial<ConstructorParameters<typeof Volume>[0]> = {},
  ): { volume: Volume; fs: ReturnType<typeof createMemoryFileSystem> } => {
    let time = 1_000_000;
    const volume = new Volume({ now: () => (time += 1), ...options });
    return { volume, fs: createMemoryFileSystem(volume, '') };
  };
  const put = async (fs: ReturnType<typeof make>['fs'], path: string, text: string): Promise<void> => {
    const file = await fs.open(path, 'create');
    await file.write(Buffer.from(text));
    await file.close();
  };
  const fails = (promise: Promise<unknown>, code: FileSystemError['code']): Promise<void> =>
    assert.rejects(promise, (error) => FileSystemError.is(error, code));

  it('lets a late writer write into the inode that it opened, wherever that is by now', async () => {
    const { volume, fs } = make();
    await put(fs, 'log', 'one\n');
    await put(fs, 'new', 'other\n');
    const late = await fs.open('log', 'append');
    await fs.hardLink('log', 'undo');
    await fs.renameOver('new', 'log');
    await late.write(Buffer.from('two\n'));
    assert.equal(volume.contentOf('undo')?.toString(), 'one\ntwo\n');
    assert.equal(volume.contentOf('log')?.toString(), 'other\n');
  });

  it('keeps an unlinked file alive for its handle only', async () => {
    const { volume, fs } = make();
    await put(fs, 'log', 'one\n');
    const late = await fs.open('log', 'append');
    await fs.unlink('log');
    await late.write(Buffer.from('two\n'));
    assert.equal((await late.stat()).size, 8);
    assert.equal(await fs.lstat('log'), null);
    assert.equal(volume.used, 0);
  });

  it('creates and renames without ever replacing what is there', async () => {
    const { volume, fs } = make();
    await put(fs, 'a', 'a');
    await put(fs, 'b', 'b');
    await fails(fs.open('a', 'create'), 'exists');
    await fails(fs.rename('a', 'b'), 'exists');
    await fails(fs.hardLink('a', 'b'), 'exists');
    assert.equal(volume.contentOf('b')?.toString(), 'b');
    await fails(fs.open('missing', 'append'), 'missing');
  });

  it('folds names where the system does', async () => {
    const { fs } = make({ caseInsensitive: true });
    await put(fs, 'Agents.md', 'x');
    assert.equal((await fs.lstat('agents.MD'))?.type, 'file');
    await fails(fs.open('AGENTS.md', 'create'), 'exists');
    assert.deepEqual(
      (await fs.list('')).map(({ name }) => name),
      ['Agents.md'],
    );
  });

  it('tells whole seconds where times are coarse, and has no hard links where there are none', async () => {
    const { fs } = make({ coarseTimes: true, noHardLinks: true });
    await put(fs, 'a', 'a');
    await fs.setTimes('a', 5_678);
    assert.equal((await fs.lstat('a'))?.mtimeMs, 5_000);
    await fails(fs.hardLink('a', 'b'), 'unsupported');
  });

  it('writes what fits on a full disk and says so', async () => {
    const { volume, fs } = make({ capacity: 10 });
    await put(fs, 'a', '12345678');
    const file = await fs.open('a', 'append');
    await fails(file.write(Buffer.from('90ab')), 'no-space');
    assert.equal(volume.contentOf('a')?.toString(), '1234567890');
  });

  it('forgets unsynced bytes when the power goes, and only those', async () => {
    const { volume, fs } = make();
    const file = await fs.open('a', 'create');
    await file.write(Buffer.from('safe'));
    await file.sync();
    await file.write(Buffer.from('gone'));
    volume.losePower(() => 1);
    assert.equal(volume.contentOf('a')?.toString(), 'safeg');
  });

  it('refuses to look into a sealed folder instead of calling it empty', async () => {
    const { volume, fs } = make();
    await fs.makeFolder('agents');
    await put(fs, 'agents/a.md', 'x');
    const folder = volume.find('agents');
    assert.ok(folder);
    folder.sealed = true;
    await fails(fs.list('agents'), 'denied');
    await fails(fs.lstat('agents/a.md'), 'denied');
  });
});
