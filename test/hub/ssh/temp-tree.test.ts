import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Attempt } from '../../../src/hub/ssh/bulk/attempt.ts';
import { filesOf, giveNames, type TempTree } from '../../../src/hub/ssh/bulk/temp-tree.ts';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';

const TEMPS = '.claude-sync/tmp/7-ab';

describe('names for a tree of temps, with one command', () => {
  let ground: SftpGround;
  let attempt: Attempt;
  let tree: TempTree;

  before(skipWhere(whyNoSshd));
  beforeEach(async () => {
    ground = await SftpGround.open();
    const { commands } = ground;
    attempt = (command, options) => commands.run(command, options);
    tree = { attempt, root: ground.root, temps: TEMPS };
  });
  afterEach(async () => ground?.close());

  const at = (path: string): string => join(ground.root, path);
  const text = (path: string): string => readFileSync(at(path), 'utf8');
  function write(path: string, content: string): void {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  }
  function temp(path: string, content = `of the hub: ${path}`): void {
    write(`${TEMPS}/${path}`, content);
  }

  it('gives each its name, in folders that only their owner may enter, and nothing is left of the temps', async () => {
    const paths = ['projects/-a b/x.jsonl', 'projects/-a b/x/deep/ä ’ $HOME.md', 'agents/-n.md', 'CLAUDE.md'];
    for (const path of paths) temp(path);
    write('agents/mine.md', 'mine');
    assert.deepEqual((await filesOf(tree))?.map(({ path }) => path).sort(), [...paths].sort());
    assert.deepEqual([...(await giveNames(tree, paths.length, []))].sort(), [...paths].sort());
    for (const path of paths) assert.equal(text(path), `of the hub: ${path}`);
    for (const path of paths) assert.equal(statSync(at(path)).nlink, 1, path);
    assert.equal(statSync(at('projects/-a b/x')).mode & 0o777, 0o700);
    assert.equal(text('agents/mine.md'), 'mine');
    assert.deepEqual(readdirSync(at('.claude-sync/tmp')), []);
  });

  it('replaces nothing that is there, and follows no link', async () => {
    const outside = join(ground.folder, 'outside');
    mkdirSync(outside);
    temp('agents/there.md');
    temp('agents/folder');
    temp('skills/below-a-link/x.md');
    temp('rules/below-a-file/x.md');
    temp('commands/dangling.md');
    temp('commands/new.md');
    write('agents/there.md', 'mine');
    mkdirSync(at('agents/folder'));
    mkdirSync(at('skills'));
    symlinkSync(outside, at('skills/below-a-link'));
    write('rules/below-a-file', 'mine');
    mkdirSync(at('commands'));
    symlinkSync(join(outside, 'nowhere'), at('commands/dangling.md'));
    const inode = statSync(at('agents/there.md')).ino;
    assert.deepEqual([...(await giveNames(tree, 6, []))], ['commands/new.md']);
    assert.equal(text('agents/there.md'), 'mine');
    assert.equal(statSync(at('agents/there.md')).ino, inode);
    assert.deepEqual(readdirSync(outside), []);
    assert.deepEqual(readdirSync(at('agents/folder')), []);
    assert.equal(text('rules/below-a-file'), 'mine');
    assert.equal(text('commands/new.md'), 'of the hub: commands/new.md');
  });

  it('leaves out what is not wanted', async () => {
    temp('agents/-rf', 'bad');
    temp('agents/good.md');
    assert.deepEqual([...(await giveNames(tree, 1, ['agents/-rf']))], ['agents/good.md']);
    assert.equal(existsSync(at('agents/-rf')), false);
  });

  it('names nothing when it was not told of everything: a list that breaks off, a file that came later', async () => {
    for (const path of ['agents/a.md', 'agents/b.md', 'agents/c.md']) temp(path);
    const unwanted = ['agents/b.md', 'agents/c.md'];
    const cut: Attempt = (command, options) => attempt(command, { ...options, stdin: './agents/b.md\0' });
    assert.equal((await giveNames({ ...tree, attempt: cut }, 1, unwanted)).size, 0);
    assert.equal(existsSync(at('agents')), false);
    temp('agents/.late.md.AbC123');
    assert.equal((await giveNames(tree, 1, ['agents/c.md'])).size, 0);
    assert.equal(existsSync(at('agents')), false);
  });

  it('makes no folders of what rsync keeps for itself, or of files that did not come', async () => {
    temp('agents/a.md');
    temp('agents/.rsync-partial/b.md');
    mkdirSync(at(`${TEMPS}/skills/none/deep`), { recursive: true });
    assert.deepEqual([...(await giveNames(tree, 1, ['agents/.rsync-partial/b.md']))], ['agents/a.md']);
    assert.deepEqual(readdirSync(at('agents')), ['a.md']);
    assert.equal(existsSync(at('skills')), false);
  });

  it('does nothing where there is another cp, and says so', async () => {
    const commands = join(ground.folder, 'commands');
    mkdirSync(commands);
    writeFileSync(join(commands, 'cp'), '#!/bin/sh\necho "cp (other coreutils) 1.0"\n', { mode: 0o755 });
    temp('agents/a.md');
    const other: TempTree = {
      ...tree,
      attempt: (command, options) => attempt(`PATH='${commands}':"$PATH"; ${command}`, options),
    };
    assert.equal((await giveNames(other, 1, [])).size, 0);
    assert.equal(existsSync(at('agents/a.md')), false);
    assert.equal((await giveNames({ ...tree, temps: '.claude-sync/tmp/none' }, 1, [])).size, 0);
    assert.equal(await filesOf({ ...tree, temps: '.claude-sync/tmp/none' }), null);
    assert.equal((await giveNames({ ...tree, attempt: async () => null }, 1, [])).size, 0);
  });
});
