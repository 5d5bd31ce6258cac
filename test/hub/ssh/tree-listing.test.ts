import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileSystemError, type Entry } from '../../../src/hub/ports/file-system.ts';
import { scanTree } from '../../../src/hub/replica/scan.ts';
import { listTree, parseListing, treeLister } from '../../../src/hub/ssh/bulk/tree-listing.ts';
import type { Attempt } from '../../../src/hub/ssh/bulk/attempt.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';

const sorted = (entries: readonly Entry[]): Entry[] => [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));

describe('everything below some folders, with one command', () => {
  let ground: SftpGround;
  let attempt: Attempt;

  before(async () => {
    ground = await SftpGround.open();
    const { commands } = ground;
    attempt = (command, options) => commands.run(command, options);
    const at = (path: string): string => join(ground.root, path);
    for (const folder of ['projects/-a b/deep', 'projects/empty', 'agents/it’s', 'hooks'])
      mkdirSync(at(folder), { recursive: true });
    writeFileSync(at('projects/-a b/x.jsonl'), 'line\n');
    writeFileSync(at('projects/-a b/deep/new\nline " $HOME'), 'x');
    writeFileSync(at('agents/it’s/ä.md'), 'text');
    writeFileSync(at('hooks/run'), '#!/bin/sh\n', { mode: 0o700 });
    utimesSync(at('hooks/run'), 1_700_000_000.9, 1_700_000_000.9);
    symlinkSync('/etc', at('projects/link'));
    execFileSync('mkfifo', [at('agents/pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${ground.root}/agents/bad`), Buffer.from([0xff])]), '');
  });
  after(() => ground.close());

  it('finds what SFTP finds, folder by folder, with the same facts', async () => {
    const tree = await listTree(attempt, ground.root, ['projects', 'agents', 'hooks']);
    assert.ok(tree !== null);
    assert.deepEqual([...tree.keys()].sort(), [
      'agents',
      'agents/it’s',
      'hooks',
      'projects',
      'projects/-a b',
      'projects/-a b/deep',
      'projects/empty',
    ]);
    for (const [folder, entries] of tree)
      assert.deepEqual(sorted(entries), sorted(await ground.fs.list(folder)), folder);
  });

  it('makes the same scan of it', async () => {
    const scan = (listMany?: ReturnType<typeof treeLister>): ReturnType<typeof scanTree> =>
      scanTree(ground.fs, '', () => true, 0, listMany === undefined ? {} : { listMany });
    let asked = 0;
    const lister = treeLister('', (folders) => {
      asked += 1;
      return listTree(attempt, ground.root, folders);
    });
    assert.deepEqual(await scan(lister), await scan());
    assert.equal(asked, 1);
  });

  it('says nothing at all when something could not be listed, or the answer broke off', async () => {
    assert.equal(await listTree(attempt, ground.root, ['projects', 'gone']), null);
    assert.equal(await listTree(attempt, join(ground.root, 'gone'), ['projects']), null);
    assert.equal(await listTree(attempt, ground.root, ['projects', 'link-to-nothing']), null);
    const whole = Buffer.from('d 755 4096 1700000000.5 ./a\0f 644 3 1700000000.5 ./a/b\0end 0\0');
    assert.deepEqual(parseListing(whole, ['a'])?.get('a')?.length, 1);
    for (let length = 0; length < whole.length; length += 1)
      assert.equal(parseListing(whole.subarray(0, length), ['a']), null, `${length} bytes of it`);
    assert.equal(parseListing(Buffer.from(whole.toString().replace('end 0', 'end 1')), ['a']), null);
    assert.equal(parseListing(Buffer.from(whole.toString().replace(' 3 ', ' x ')), ['a']), null);
    assert.equal(parseListing(whole, ['a', 'b']), null);
  });

  it('leaves the folder itself and scans of folders with little in them to SFTP', async () => {
    let asked = 0;
    const list = (folders: readonly string[]): ReturnType<typeof listTree> => {
      asked += 1;
      return listTree(attempt, ground.root, folders);
    };
    const ofAll = treeLister('', list);
    assert.equal(await ofAll(['']), null);
    assert.equal(asked, 0);
    assert.equal((await ofAll(['projects', 'agents']))?.length, 2);
    const [gone] = (await ofAll(['projects/gone'])) ?? [];
    assert.ok(gone instanceof FileSystemError && gone.code === 'missing');
    assert.equal(asked, 1);
    const ofOne = treeLister('projects', list);
    assert.equal(await ofOne(['projects']), null);
    assert.equal(await ofOne(['projects/-a b', 'projects/empty']), null);
    assert.equal(asked, 1);
  });

  it('makes the same scan of a folder with much in it', async () => {
    for (let number = 0; number < 20; number += 1) {
      mkdirSync(join(ground.root, `skills/all/${number}/deep`), { recursive: true });
      writeFileSync(join(ground.root, `skills/all/${number}/deep/${number}.md`), `${number}`);
    }
    let asked = 0;
    const lister = treeLister('skills/all', (names) => {
      asked += 1;
      return listTree(attempt, join(ground.root, 'skills/all'), names);
    });
    const scan = await scanTree(ground.fs, 'skills/all', () => true, 0, { listMany: lister });
    assert.equal(scan.files.size, 20);
    assert.deepEqual(scan, await scanTree(ground.fs, 'skills/all', () => true, 0));
    assert.equal(asked, 1);
  });
});
