import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../../src/hub/ports/system.ts';
import { cleanUpAge, raiseCleanUpAge, withCleanUpDays } from '../../../src/hub/probe/clean-up-age.ts';
import { createNodeFileSystem } from '../../../src/hub/replica/node-file-system.ts';

describe('the clean-up age of Claude Code', () => {
  it('is 30 days where settings.json says nothing of it', () => {
    for (const text of [null, '{}', '{"model": "opus"}'])
      assert.deepEqual(cleanUpAge(text), { days: 30, isDefault: true, problem: null });
    assert.deepEqual(cleanUpAge('\uFEFF{"cleanupPeriodDays": 99}'), { days: 99, isDefault: false, problem: null });
  });

  it('a file that does not tell is named, not taken for the default in silence', () => {
    assert.match(cleanUpAge('{ broken').problem ?? '', /JSON/);
    assert.match(cleanUpAge('{"cleanupPeriodDays": "99"}').problem ?? '', /number/);
  });

  it('changing it leaves every other byte as it is', () => {
    const text = '{\n    "b": [1,   2],\n    "cleanupPeriodDays": 7,\n    "a": null\n}';
    assert.equal(withCleanUpDays(text, 365), text.replace('7,', '365,'));
    const without = '{\n\t"model": "opus"\n}\n';
    assert.equal(withCleanUpDays(without, 365), '{\n\t"model": "opus",\n\t"cleanupPeriodDays": 365\n}\n');
    assert.deepEqual(JSON.parse(withCleanUpDays(null, 365)), { cleanupPeriodDays: 365 });
  });

  it('what is no JSON object is not changed', () => {
    for (const text of ['{ broken', '[]', '"text"', '{"a": 1,}'])
      assert.throws(() => withCleanUpDays(text, 365), { name: 'SettingsRefused' });
  });

  describe('in a folder', () => {
    let folder: string;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'claude-sync-settings-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    it('the file of before is kept, and nothing else is left behind', async () => {
      await writeFile(join(folder, 'settings.json'), '{"model": "opus"}');
      const kept = await raiseCleanUpAge(createNodeFileSystem(folder), systemRandom, 365);
      assert.equal(await readFile(join(folder, kept ?? ''), 'utf8'), '{"model": "opus"}');
      assert.equal(cleanUpAge(await readFile(join(folder, 'settings.json'), 'utf8')).days, 365);
      assert.deepEqual(await readdir(join(folder, '.claude-sync', 'tmp')), []);
      assert.equal(await raiseCleanUpAge(createNodeFileSystem(folder), systemRandom, 365), null, 'it says so already');
    });

    it('where there is none one is made', async () => {
      assert.equal(await raiseCleanUpAge(createNodeFileSystem(folder), systemRandom, 365), null);
      assert.equal(cleanUpAge(await readFile(join(folder, 'settings.json'), 'utf8')).days, 365);
    });

    it('a link is left alone, and so is what it leads to', async () => {
      await writeFile(join(folder, 'elsewhere.json'), '{}');
      await symlink('elsewhere.json', join(folder, 'settings.json'));
      await assert.rejects(raiseCleanUpAge(createNodeFileSystem(folder), systemRandom, 365), {
        name: 'SettingsRefused',
      });
      assert.equal(await readFile(join(folder, 'elsewhere.json'), 'utf8'), '{}');
      assert.deepEqual((await readdir(folder)).sort(), ['elsewhere.json', 'settings.json']);
    });
  });
});
