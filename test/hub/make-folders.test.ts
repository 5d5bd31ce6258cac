import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../../src/hub/make-folders.ts';
import { privateFolder } from './rpc/fake-hub.ts';

describe('makeFolders', () => {
  it('makes what is missing for this user only, and leaves what is there as it is', async () => {
    const folder = await privateFolder();
    const deep = join(folder.path, 'a', 'b', 'c');
    await makeFolders(deep);
    await makeFolders(deep);
    assert.equal((await stat(join(folder.path, 'a'))).mode & 0o777, 0o700);
    await folder.remove();
  });

  it('fails where nothing can be made, instead of trying for ever', async function () {
    if (!existsSync('/proc/self')) return this.skip(); // Only Linux has a folder that denies having what is to be made in it.
    await assert.rejects(makeFolders('/proc/nope/logs'), { code: 'ENOENT' });
  });

  it('fails when a file is in the way', async () => {
    const folder = await privateFolder();
    await writeFile(join(folder.path, 'file'), '');
    await assert.rejects(makeFolders(join(folder.path, 'file', 'a')), { code: 'ENOTDIR' });
    await folder.remove();
  });
});
