import assert from 'node:assert/strict';
import { mkdir, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { folderName } from '../../src/core/projects/folder-name.ts';
import { Ground, newSession, readOrNull, until } from './ground.ts';
import type { Home } from './home.ts';
import { record } from './records.ts';

describe('what happens to a whole folder is not what its files say', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;
  let xps: Home;

  async function open(options: Parameters<typeof Ground.open>[0] = {}): Promise<void> {
    ground = await Ground.open(options);
    [rog, mac, xps] = ['rog', 'mac', 'xps'].map((name) => ground.home(name)) as [Home, Home, Home];
  }

  afterEach(() => ground.close());

  async function writeAgents(count: number, text: string): Promise<void> {
    for (let index = 0; index < count; index += 1) await rog.write(`agents/a${index}.md`, `agent ${index}: ${text}\n`);
  }

  const isQuarantined = async (): Promise<boolean> => (await ground.report('mac')).status === 'quarantined';

  for (const how of ['all but what is hidden', 'all'] as const) {
    it(`a folder that is emptied (${how}) while the hub runs deletes nothing anywhere, however few files it had`, async () => {
      await open();
      await rog.write('CLAUDE.md', 'Read this.\n');
      await writeAgents(5, 'first');
      const session = newSession();
      await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'one' }));
      await ground.startHub();
      await ground.settle();
      for (const name of await readdir(mac.claudeDir)) {
        if (how === 'all' || !name.startsWith('.')) await rm(join(mac.claudeDir, name), { recursive: true });
      }
      await until('mac is stopped', isQuarantined);
      for (const home of [rog, xps]) {
        assert.equal(await home.text('CLAUDE.md'), 'Read this.\n');
        for (let index = 0; index < 5; index += 1)
          assert.equal(await home.text(`agents/a${index}.md`), `agent ${index}: first\n`);
      }
    });
  }

  it('a backup of six files that is restored undoes not one of them elsewhere', async () => {
    await open();
    await rog.write('rules/stays.md', 'stays\n');
    await writeAgents(6, 'first');
    await ground.startHub();
    await ground.settle();
    await writeAgents(6, 'second');
    await ground.settle();
    for (let index = 0; index < 6; index += 1) await mac.write(`agents/a${index}.md`, `agent ${index}: first\n`);
    await until('mac is stopped', isQuarantined);
    for (const home of [rog, xps]) {
      for (let index = 0; index < 6; index += 1)
        assert.equal(await home.text(`agents/a${index}.md`), `agent ${index}: second\n`);
    }
  });

  it('sixty files that became others while the hub was away stop their machine, and reach no other', async () => {
    await open();
    await writeAgents(60, 'first');
    const longAgo = Date.now() / 1_000 - 3_600;
    for (let index = 0; index < 60; index += 1) await utimes(rog.file(`agents/a${index}.md`), longAgo, longAgo);
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    for (let index = 0; index < 60; index += 1)
      await mac.write(`agents/a${index}.md`, `scrambled ${index}, all of it\n`);
    await ground.startHub();
    await until('mac is stopped', isQuarantined);
    for (let index = 0; index < 60; index += 1)
      assert.equal(await xps.text(`agents/a${index}.md`), `agent ${index}: first\n`);
  });

  it('sixty files that are seen empty before they are filled stop nothing', async () => {
    await open();
    for (let index = 0; index < 60; index += 1) await mac.write(`agents/a${index}.md`, '');
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    for (let index = 0; index < 60; index += 1) await mac.write(`agents/a${index}.md`, `agent ${index}\n`);
    await ground.startHub();
    await ground.settle();
    assert.equal(await isQuarantined(), false);
    for (let index = 0; index < 60; index += 1) assert.equal(await xps.text(`agents/a${index}.md`), `agent ${index}\n`);
  });

  it('one file that is put back to what it was before travels', async () => {
    await open();
    await rog.write('CLAUDE.md', 'first\n');
    await ground.startHub();
    await ground.settle();
    await mac.write('CLAUDE.md', 'second\n');
    await ground.settle();
    await mac.write('CLAUDE.md', 'first\n');
    await until('it is everywhere', async () => (await xps.text('CLAUDE.md')) === 'first\n');
  });

  it('the memory of a project whose folder is renamed stays on the other machines', async () => {
    await open();
    const session = newSession();
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'one' }));
    const memory = (home: Home): string => join(home.sessionPath(session), '..', 'memory', 'MEMORY.md');
    await rog.write(memory(rog), 'remember\n');
    await ground.startHub();
    await ground.settle();
    assert.equal(await mac.text(memory(mac)), 'remember\n');
    const folder = join(rog.claudeDir, rog.sessionPath(session), '..');
    await rename(folder, `${folder}-renamed`);
    await until('rog is seen without it', async () => ((await ground.report('rog')).unsettled?.evicted ?? 0) > 0);
    await ground.settle();
    assert.equal(await mac.text(memory(mac)), 'remember\n');
    assert.equal(await xps.text(memory(xps)), 'remember\n');
  });

  it('a session that is moved by hand is followed when what is written to it says where it is', async () => {
    await open();
    const session = newSession();
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'one' }));
    await ground.startHub();
    await ground.settle();
    const moved = (home: Home): string => `projects/${folderName(`${home.path}/code/moved`)}/${session}.jsonl`;
    await mkdir(join(mac.file(moved(mac)), '..'), { recursive: true });
    await rename(mac.file(mac.sessionPath(session)), mac.file(moved(mac)));
    const relocated = { type: 'relocated', relocatedCwd: `${mac.path}/code/moved`, sessionId: session };
    await mac.append(moved(mac), JSON.stringify(relocated));
    for (const home of [rog, xps]) {
      await until(
        'the others have it there too',
        async () => (await home.text(moved(home)))?.includes('relocated') === true,
      );
      assert.equal(await home.text(home.sessionPath(session)), null, 'and only there');
    }
  });

  it('a machine that is trusted with data only deletes nothing that others run', async () => {
    await open({ entries: { mac: { trust: 'data' } } });
    await rog.write('rules/stays.md', 'stays\n');
    await writeAgents(2, 'first');
    await ground.startHub();
    await ground.settle();
    await rm(join(mac.claudeDir, 'agents'), { recursive: true });
    await until('mac is seen without them', async () => ((await ground.report('mac')).unsettled?.evicted ?? 0) === 2);
    for (const home of [rog, xps]) assert.equal(await home.text('agents/a1.md'), 'agent 1: first\n');
  });

  it('forgetting a session leaves nothing of it in what was put aside', async () => {
    await open();
    const session = newSession();
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'one' }));
    await ground.startHub();
    await ground.settle();
    await ground.json('forget', session, '--yes');
    await ground.settle();
    for (const home of [rog, mac, xps]) {
      const undo = join(home.claudeDir, '.claude-sync', 'undo');
      for (const name of await readdir(undo)) {
        const bytes = await readOrNull(join(undo, name));
        assert.ok(bytes?.includes(session) !== true, `${home.path} still has it in ${name}`);
      }
    }
  });
});
