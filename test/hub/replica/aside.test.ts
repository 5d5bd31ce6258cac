import assert from 'node:assert/strict';
import { appendFileSync, linkSync, renameSync, writeFileSync } from 'node:fs';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { ClaudeFolderMissing, PrivateFolderUnusable } from '../../../src/hub/replica/claude-folder.ts';
import { ReplicaUnreachable } from '../../../src/hub/replica/replica.ts';
import { Ground, putOf } from './ground.ts';

const DOC = 'agents/a.md';
const HOUR = 3_600_000;

describe('what is taken from its place', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
    ground.write(DOC, 'old');
  });
  afterEach(() => ground.remove());

  describe('by removal', () => {
    it('lies in undo, under a name of this connection', async () => {
      const replica = await ground.connected();
      const expect = ground.stat(DOC);
      assert.deepEqual(await replica.remove(DOC, { expect }), { kind: 'done', stat: expect });
      assert.equal(ground.exists(DOC), false);
      assert.deepEqual(ground.undoTexts(), ['old']);
      assert.match(ground.names('.claude-sync/undo')[0] ?? '', /^1-[0-9a-f]{16}$/);
      assert.deepEqual(ground.rows.intentRows, []);
    });

    it('stays when it is not as expected, or changes at the last moment', async () => {
      const replica = await ground.connected();
      const expect = ground.stat(DOC);
      ground.once('renameOver', DOC, () => appendFileSync(ground.at(DOC), '!'));
      assert.deepEqual(await replica.remove(DOC, { expect }), { kind: 'changed' });
      assert.deepEqual(await replica.remove(DOC, { expect }), { kind: 'changed' });
      assert.equal(ground.text(DOC), 'old!');
      assert.deepEqual(ground.names('.claude-sync/undo'), []);
    });
  });

  describe('by a move', () => {
    it('gets its new name with new folders, and leaves the old folder', async () => {
      const replica = await ground.connected();
      const expect = ground.stat(DOC);
      const outcome = await replica.move(DOC, 'skills/deep/b.md', { expect });
      assert.deepEqual(outcome, { kind: 'done', stat: ground.stat('skills/deep/b.md') });
      assert.equal(ground.stat('skills/deep/b.md').inode, expect.inode);
      assert.equal(ground.exists(DOC), false);
      assert.ok(ground.exists('agents'));
      assert.deepEqual([ground.rows.intentRows, ground.rows.undoRows, ground.undoTexts()], [[], [], []]);
    });

    it('overwrites nothing, neither what is there nor what appears', async () => {
      const replica = await ground.connected();
      ground.write('agents/b.md', 'mine');
      assert.deepEqual(await replica.move(DOC, 'agents/b.md', { expect: ground.stat(DOC) }), { kind: 'changed' });
      ground.once('rename', /undo/, () => ground.write('agents/c.md', 'mine'));
      assert.deepEqual(await replica.move(DOC, 'agents/c.md', { expect: ground.stat(DOC) }), { kind: 'changed' });
      assert.deepEqual(
        [ground.text(DOC), ground.text('agents/b.md'), ground.text('agents/c.md')],
        ['old', 'mine', 'mine'],
      );
    });
  });

  describe('and a crash', () => {
    /** The connection breaks right before the named operation and everything after it is lost. */
    const crashAt = (operation: string, path: RegExp): void => {
      let gone = false;
      ground.interference = (name, at) => {
        gone ||= name === operation && path.test(at);
        if (gone) throw new FileSystemError('disconnected', name, at);
      };
    };

    const reconnected = async () => {
      ground.interference = () => undefined;
      ground.epoch++;
      return ground.connected();
    };

    for (const [moment, operation, path] of [
      ['before the first rename', 'renameOver', /agents/],
      ['between the renames', 'rename', /tmp/],
      ['before the look into undo', 'lstat', /undo/],
    ] as const) {
      it(`${moment}: the next connection finds the old file at its place and nothing of ours`, async () => {
        const replica = await ground.connected();
        crashAt(operation, path);
        await assert.rejects(replica.put(DOC, putOf('new', ground.stat(DOC))), ReplicaUnreachable);
        await reconnected();
        assert.equal(ground.text(DOC), 'old');
        assert.deepEqual(ground.names('.claude-sync/tmp'), []);
        assert.deepEqual(ground.names('.claude-sync/undo'), []);
      });
    }

    it('after the second rename: the new file stays and the old one is in undo', async () => {
      const replica = await ground.connected();
      let renamed = false;
      ground.interference = (name, at) => {
        if (renamed) throw new FileSystemError('disconnected', name, at);
        renamed = name === 'rename';
      };
      await assert.rejects(replica.put(DOC, putOf('new', ground.stat(DOC))), ReplicaUnreachable);
      await reconnected();
      assert.equal(ground.text(DOC), 'new');
      assert.deepEqual(ground.undoTexts(), ['old']);
      assert.deepEqual(ground.rows.intentRows, []);
    });

    it('a rename that is executed after the next connection was made is undone by the next scan', async () => {
      const replica = await ground.connected();
      crashAt('renameOver', /agents/);
      await assert.rejects(replica.put(DOC, putOf('new', ground.stat(DOC))), ReplicaUnreachable);
      const next = await reconnected();
      renameSync(ground.at(DOC), ground.at(`.claude-sync/undo/${ground.rows.undoRows[0]?.name}`));
      assert.deepEqual(await next.lateWrites(), []);
      assert.equal(ground.text(DOC), 'old');
    });

    it('in the middle of a move between link and unlink leaves one file, at its new place', async () => {
      ground.write('.claude-sync/undo/1-00', 'moved');
      linkSync(ground.at('.claude-sync/undo/1-00'), ground.at('agents/new.md'));
      ground.rows.intents.add({ machine: 'xps', path: 'agents/from.md', temp: 'agents/new.md', undo: '1-00', at: 0 });
      await reconnected();
      assert.equal(ground.exists('agents/from.md'), false);
      assert.equal(ground.text('agents/new.md'), 'moved');
      assert.deepEqual(ground.names('.claude-sync/undo'), []);
    });

    it('leaves temps of older connections for the next one to remove, but none of its own', async () => {
      await ground.connected();
      ground.write('.claude-sync/tmp/1-ab', '');
      ground.write('.claude-sync/tmp/2-ab', '');
      await reconnected();
      assert.deepEqual(ground.names('.claude-sync/tmp'), ['2-ab']);
      ground.epoch++;
      await ground.connected({}, ['epoch-temps']);
      assert.deepEqual(ground.names('.claude-sync/tmp'), ['2-ab']);
    });
  });

  describe('stays in undo', () => {
    it('until its time is over, longer while the session is live or bytes of it are unknown', async () => {
      const replica = await ground.connected();
      ground.now = 0;
      await replica.remove(DOC, { expect: ground.stat(DOC) });
      const [name = ''] = ground.names('.claude-sync/undo');
      await replica.expireUndo(0, () => false);
      await replica.expireUndo(HOUR, (path) => path === DOC);
      appendFileSync(ground.at(`.claude-sync/undo/${name}`), 'late');
      await replica.expireUndo(HOUR, () => false);
      assert.deepEqual(ground.undoTexts(), ['oldlate']);
      replica.acknowledgeUndo(name, 7);
      await replica.expireUndo(HOUR, () => false);
      assert.deepEqual([ground.undoTexts(), ground.rows.undoRows], [[], []]);
    });

    it('also when the hub lost its rows: then it expires like the others', async () => {
      ground.now = 5;
      ground.write('.claude-sync/undo/9-ff', 'x');
      const replica = await ground.connected();
      await replica.expireUndo(5, () => false);
      assert.deepEqual(ground.undoTexts(), ['x']);
      await replica.expireUndo(6, () => false);
      assert.deepEqual(ground.undoTexts(), []);
    });
  });

  describe('connecting', () => {
    it('says that the Claude folder is missing, or is none, before it makes anything', async () => {
      const replica = new Ground(`${ground.root}/not-there`).replica();
      await assert.rejects(replica.connect(), ClaudeFolderMissing);
      await assert.rejects(new Ground(ground.at(DOC)).replica().connect(), ClaudeFolderMissing);
      assert.equal(ground.exists('not-there'), false);
    });

    it('refuses to work in a private folder that is none', async () => {
      writeFileSync(ground.at('.claude-sync'), '');
      await assert.rejects(ground.connected(), PrivateFolderUnusable);
    });

    it('keeps the replica id, and puts another in its place only when told which', async () => {
      const replica = await ground.connected();
      assert.equal(await replica.readMarker(), null);
      await replica.writeMarker('id-1');
      await assert.rejects(replica.writeMarker('id-2'), FileSystemError);
      assert.equal(await replica.readMarker(), 'id-1');
      assert.equal(await replica.replaceMarker('id-0', 'id-2'), false);
      assert.equal(await replica.readMarker(), 'id-1');
      assert.equal(await replica.replaceMarker('id-1', 'id-2'), true);
      assert.equal(await replica.readMarker(), 'id-2');
      assert.deepEqual(ground.names('.claude-sync/tmp'), []);
    });
  });

  it('the lock folder is held by one, and taken over when it was left behind', async () => {
    const replica = await ground.connected();
    const release = await replica.lock('history.jsonl');
    assert.ok(release);
    assert.equal(await replica.lock('history.jsonl'), null);
    await release();
    assert.equal(ground.exists('history.jsonl.lock'), false);
    await ground.fs.makeFolder('history.jsonl.lock');
    await ground.fs.setTimes('history.jsonl.lock', Date.now() - 60_000);
    assert.ok(await replica.lock('history.jsonl'));
  });
});
