import assert from 'node:assert/strict';
import { lstat, mkdir, readFile, readlink, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { HubGround, until } from '../hub-ground.ts';

describe('links that are followed on purpose', function () {
  this.timeout(60_000);
  let ground: HubGround;
  afterEach(() => ground.close());

  /** A file of the dotfiles, which lie outside of any Claude folder. */
  const dot = (path: string): string => join(ground.root, 'dotfiles', path);
  const mac = (path: string): string => join(ground.claudeDir('mac'), path);
  const rog = (path: string): string => join(ground.claudeDir('rog'), path);

  async function put(file: string, text: string): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  async function textOf(file: string): Promise<string | null> {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** `CLAUDE.md` and `skills` of rog lead into the dotfiles. */
  async function open(prepare: () => Promise<void> = async () => undefined): Promise<void> {
    ground = await HubGround.open({
      entries: { rog: { followRoots: ['CLAUDE.md', 'skills'] } },
      prepare: async (made) => {
        ground = made;
        await put(dot('CLAUDE.md'), 'rules\n');
        await put(dot('skills/x/SKILL.md'), 'skill\n');
        await symlink(dot('CLAUDE.md'), rog('CLAUDE.md'));
        await symlink(dot('skills'), rog('skills'));
        await put(rog('agents/a.md'), 'agent\n');
        await prepare();
      },
    });
    await ground.settle();
  }

  const notices = (): ReadonlyMap<string, string> =>
    ground.hub.engine.links.get('rog')?.notices ?? new Map<string, string>();
  const arrives = (file: string, text: string | null): Promise<void> =>
    until(`${file} is ${text}`, async () => (await textOf(file)) === text);

  it('what they lead to travels, and what comes from elsewhere is written where they lead', async () => {
    await open();
    assert.equal(await textOf(mac('CLAUDE.md')), 'rules\n');
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    assert.ok((await lstat(mac('skills'))).isDirectory(), 'elsewhere it is an ordinary folder');
    await put(mac('CLAUDE.md'), 'other rules\n');
    await put(mac('skills/new/deep/SKILL.md'), 'new\n');
    await arrives(dot('CLAUDE.md'), 'other rules\n');
    await arrives(dot('skills/new/deep/SKILL.md'), 'new\n');
    await ground.settle();
    assert.equal(await readlink(rog('CLAUDE.md')), dot('CLAUDE.md'), 'the links are links');
    assert.equal(await readlink(rog('skills')), dot('skills'));
    assert.deepEqual([...notices()], []);
  });

  it('changes where they lead are noticed, without a scan', async () => {
    await open();
    await put(dot('skills/x/SKILL.md'), 'changed\n');
    await arrives(mac('skills/x/SKILL.md'), 'changed\n');
    await put(dot('skills/fresh/SKILL.md'), 'fresh\n');
    await arrives(mac('skills/fresh/SKILL.md'), 'fresh\n');
    await put(dot('CLAUDE.md.tmp'), 'saved by an editor\n');
    await rename(dot('CLAUDE.md.tmp'), dot('CLAUDE.md'));
    await arrives(mac('CLAUDE.md'), 'saved by an editor\n');
    await rm(dot('skills/fresh'), { recursive: true });
    await arrives(mac('skills/fresh/SKILL.md'), null);
  });

  it('secrets and links below them stay where they are', async () => {
    await open(async () => {
      await put(dot('skills/x/.env'), 'TOKEN=1\n');
      await put(join(ground.root, 'elsewhere.md'), 'elsewhere\n');
      await symlink(join(ground.root, 'elsewhere.md'), dot('skills/x/link.md'));
      await put(join(ground.root, 'outside/SKILL.md'), 'outside\n');
      await symlink(join(ground.root, 'outside'), dot('skills/outside'));
    });
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    for (const path of ['skills/x/.env', 'skills/x/link.md', 'skills/outside/SKILL.md'])
      assert.equal(await textOf(mac(path)), null, path);
    assert.match(notices().get('skills/x/link.md') ?? '', /symlink/);
    assert.match(notices().get('skills/outside') ?? '', /symlink/);
  });

  it('a link into the Claude folder, to a secret, or to the data of the hub is not followed', async () => {
    for (const target of ['.credentials.json', '../../data', '../dotfiles/keys/id_rsa', '..']) {
      ground = await HubGround.open({
        entries: { rog: { followRoots: ['CLAUDE.md', 'skills'] } },
        prepare: async (made) => {
          ground = made;
          await put(rog('.credentials.json'), 'secret\n');
          await put(join(made.root, 'rog/dotfiles/keys/id_rsa'), 'secret\n');
          await put(rog('agents/a.md'), 'agent\n');
          await symlink(
            join(rog('.'), target),
            rog(target.includes('data') || target === '..' ? 'skills' : 'CLAUDE.md'),
          );
        },
      });
      await ground.settle();
      assert.match([...notices().values()].join(), /secrets|part of/, target);
      assert.equal(await textOf(mac('CLAUDE.md')), null);
      assert.equal(await textOf(mac('skills')), null);
      if (target !== '..') await ground.close();
    }
  });

  it('what they lead to vanishes: nothing is deleted anywhere, and it goes on when it is back', async () => {
    await open();
    await rename(join(ground.root, 'dotfiles'), join(ground.root, 'away'));
    await ground.settle();
    ground.clock.jump(20 * 60_000);
    await ground.settle();
    ground.clock.jump(10_000);
    await ground.settle();
    assert.equal(await textOf(mac('CLAUDE.md')), 'rules\n');
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    assert.match(notices().get('skills') ?? '', /leads to nothing now/);
    await put(mac('skills/x/SKILL.md'), 'changed meanwhile\n');
    await put(mac('agents/a.md'), 'the rest goes on\n');
    await arrives(rog('agents/a.md'), 'the rest goes on\n');
    await rename(join(ground.root, 'away'), join(ground.root, 'dotfiles'));
    await ground.settle();
    assert.equal(await textOf(dot('skills/x/SKILL.md')), 'changed meanwhile\n');
    assert.equal(notices().size, 0);
  });

  it('a link is gone: nothing is deleted anywhere, also not after a restart', async () => {
    await open();
    await unlink(rog('skills'));
    await ground.settle();
    await ground.hub.close();
    await ground.boot();
    await ground.settle();
    ground.clock.jump(10_000);
    await ground.settle();
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    assert.equal(await textOf(rog('skills/x/SKILL.md')), null, 'and nothing is written in its place');
    await symlink(dot('skills'), rog('skills'));
    await ground.settle();
    await put(mac('skills/x/SKILL.md'), 'again\n');
    await arrives(dot('skills/x/SKILL.md'), 'again\n');
  });

  it('a link leads elsewhere: both are united; an empty place is taken for a disk that is not there', async () => {
    await open();
    await mkdir(dot('empty'));
    await unlink(rog('skills'));
    await symlink(dot('empty'), rog('skills'));
    await ground.settle();
    ground.clock.jump(10_000);
    await ground.settle();
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    assert.equal(await textOf(dot('empty/x/SKILL.md')), null);
    assert.match(notices().get('skills') ?? '', /empty folder/);

    await put(dot('others/y/SKILL.md'), 'other\n');
    await unlink(rog('skills'));
    await symlink(dot('others'), rog('skills'));
    await ground.settle();
    assert.equal(await textOf(mac('skills/x/SKILL.md')), 'skill\n');
    assert.equal(await textOf(mac('skills/y/SKILL.md')), 'other\n');
    assert.equal(await textOf(dot('others/x/SKILL.md')), 'skill\n');
    assert.equal(await textOf(dot('skills/x/SKILL.md')), 'skill\n', 'what it led to before is left as it is');
  });

  it('a followed file is not deleted from elsewhere, and its own end is no delete', async () => {
    await open();
    await unlink(dot('CLAUDE.md'));
    await ground.settle();
    ground.clock.jump(10_000);
    await ground.settle();
    assert.equal(await textOf(mac('CLAUDE.md')), 'rules\n');
    await put(dot('CLAUDE.md'), 'rules\n');
    await ground.settle();
    await unlink(mac('CLAUDE.md'));
    await until('mac deleted it', () => ground.hub.store.heads.get('CLAUDE.md')?.kind === 'tombstone', 30_000);
    await ground.settle();
    assert.equal(await textOf(dot('CLAUDE.md')), 'rules\n');
    assert.match(ground.hub.engine.links.get('rog')?.reasonOf('CLAUDE.md') ?? '', /by hand/);
  });

  it('a file that a crash left in undo is back where the link leads', async () => {
    await open();
    await ground.hub.close();
    await rename(dot('CLAUDE.md'), rog('.claude-sync/undo/1-crashed'));
    const db = new Database(join(ground.dataDir, 'sync.db'));
    db.prepare("INSERT INTO intents VALUES (77, 'rog', 'CLAUDE.md', '.claude-sync/tmp/1-gone', '1-crashed', ?)").run(
      ground.clock.now(),
    );
    db.prepare("INSERT INTO undo VALUES ('rog', '1-crashed', 'CLAUDE.md', 6, ?)").run(ground.clock.now());
    db.close();
    await ground.boot();
    await ground.settle();
    assert.equal(await textOf(dot('CLAUDE.md')), 'rules\n');
    assert.equal(await textOf(mac('CLAUDE.md')), 'rules\n');
    assert.deepEqual([...notices()], []);
  });
});
