import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inBursts } from '../../../src/hub/replica/many/in-bursts.ts';
import type { TreeContext } from '../../../src/hub/replica/tree-context.ts';
import type { Attempt } from '../../../src/hub/ssh/bulk/attempt.ts';
import { remoteLooks } from '../../../src/hub/ssh/bulk/remote-looks.ts';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';

describe('looks at many files of a machine, with one command', () => {
  let ground: SftpGround;
  let attempt: Attempt;

  before(skipWhere(whyNoSshd));
  before(async () => {
    ground = await SftpGround.open();
    const { commands } = ground;
    attempt = (command, options) => commands.run(command, options);
    mkdirSync(join(ground.root, 'projects/-a b'), { recursive: true });
    writeFileSync(join(ground.root, 'projects/-a b/x.jsonl'), 'line\n');
    writeFileSync(join(ground.root, 'projects/-a b/ä ’ " $HOME'), 'text', { mode: 0o700 });
    writeFileSync(join(ground.root, 'projects/-n'), '');
    symlinkSync('-a b', join(ground.root, 'projects/link'));
    symlinkSync('-n', join(ground.root, 'projects/link-to-file'));
  });
  after(async () => ground?.close());

  const there = ['projects/-a b/x.jsonl', 'projects/-a b/ä ’ " $HOME', 'projects/-n'];

  it('sees what SFTP sees of files that are there', async () => {
    const context = { fs: ground.fs, knownFolders: null } as unknown as TreeContext;
    const [looks, expected] = [
      await remoteLooks(attempt, ground.root, there),
      await inBursts(context, 'linux').look(there),
    ];
    assert.deepEqual(
      there.map((path) => looks.get(path)),
      expected,
    );
  });

  it('says nothing about what is anything else, or behind a link', async () => {
    const others = [
      'projects/gone',
      'projects/-a b',
      'projects/link/x.jsonl',
      'projects/link-to-file',
      'projects/-n/below a file',
      '../etc/passwd',
      '.claude-sync/tmp/x',
      '',
      'with\0nul',
    ];
    const looks = await remoteLooks(attempt, ground.root, [...others, ...there]);
    assert.deepEqual([...looks.keys()].sort(), [...there].sort());
  });

  it('says nothing at all where the folder is gone, or there is no such command', async () => {
    assert.equal((await remoteLooks(attempt, join(ground.root, 'gone'), there)).size, 0);
    const without: Attempt = (command, options) => attempt(`PATH=/nowhere; ${command}`, options);
    assert.equal((await remoteLooks(without, ground.root, there)).size, 0);
    assert.equal((await remoteLooks(async () => null, ground.root, there)).size, 0);
  });

  it('looks at more files than a command line holds', async () => {
    const folder = `many/${'long-'.repeat(30)}`;
    mkdirSync(join(ground.root, folder), { recursive: true });
    const paths = Array.from({ length: 3_000 }, (_, number) => `${folder}/${number}`);
    for (const path of paths) writeFileSync(join(ground.root, path), '1');
    assert.equal((await remoteLooks(attempt, ground.root, paths)).size, paths.length);
  });
});
