import assert from 'node:assert/strict';
import { lstat, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ground, until } from './ground.ts';

describe('dotfiles that are kept as links', function () {
  this.timeout(120_000);
  let ground: Ground;
  afterEach(() => ground.close());

  it('travel when they are named in followRoots, are written where they lead, and never count as deleted', async () => {
    ground = await Ground.open({
      machines: ['rog', 'mac'],
      entries: { rog: { followRoots: ['CLAUDE.md', 'skills'] } },
    });
    const [rog, mac] = [ground.home('rog'), ground.home('mac')];
    const dotfiles = join(ground.root, 'dotfiles');
    await mkdir(join(dotfiles, 'skills/x'), { recursive: true });
    await writeFile(join(dotfiles, 'CLAUDE.md'), 'rules\n');
    await writeFile(join(dotfiles, 'skills/x/SKILL.md'), 'skill\n');
    await symlink(join(dotfiles, 'CLAUDE.md'), rog.file('CLAUDE.md'));
    await symlink(join(dotfiles, 'skills'), rog.file('skills'));
    await rog.write('agents/a.md', 'agent\n');
    await ground.startHub();
    await ground.settle();
    assert.deepEqual(await mac.files(), ['CLAUDE.md', 'agents/a.md', 'skills/x/SKILL.md']);

    await mac.write('CLAUDE.md', 'rules of mac\n');
    await ground.settle();
    assert.equal(await readFile(join(dotfiles, 'CLAUDE.md'), 'utf8'), 'rules of mac\n');
    assert.ok((await lstat(rog.file('CLAUDE.md'))).isSymbolicLink());
    await writeFile(join(dotfiles, 'skills/x/SKILL.md'), 'changed there\n');
    await until('it is noticed there', async () => (await mac.text('skills/x/SKILL.md')) === 'changed there\n');

    await ground.endHub();
    await rename(dotfiles, `${dotfiles}-away`);
    await ground.startHub();
    await ground.settle();
    assert.deepEqual(await mac.files(), ['CLAUDE.md', 'agents/a.md', 'skills/x/SKILL.md']);
    assert.match((await ground.report('rog')).reason ?? '', /leads to nothing now/);
    await rename(`${dotfiles}-away`, dotfiles);
    await mac.write('skills/x/SKILL.md', 'and back\n');
    await ground.settle();
    assert.equal(await readFile(join(dotfiles, 'skills/x/SKILL.md'), 'utf8'), 'and back\n');
  });
});
