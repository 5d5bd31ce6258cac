import assert from 'node:assert/strict';
import {
  appendFileSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { Ground, MTIME, putOf } from './ground.ts';

const DOC = 'agents/a.md';
const LOG = 'projects/-p/0b7e6f1a-0000-4000-8000-000000000001.jsonl';

describe('guarded put', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
  });
  afterEach(() => ground.remove());

  const nothingOfOursIsLeft = (): void => {
    assert.deepEqual(ground.names('.claude-sync/tmp'), []);
    assert.deepEqual(ground.names('.claude-sync/undo'), []);
    assert.deepEqual(ground.rows.intentRows, []);
    assert.deepEqual(ground.rows.undoRows, []);
  };

  describe('that creates', () => {
    it('makes the folders, private, and the file with its time and its executable bit', async () => {
      const outcome = await (await ground.connected()).put('hooks/deep/run.sh', putOf('echo', null, 'exchange', true));
      assert.deepEqual(outcome, { kind: 'done', stat: ground.stat('hooks/deep/run.sh') });
      assert.equal(ground.text('hooks/deep/run.sh'), 'echo');
      assert.equal(lstatSync(ground.at('hooks/deep')).mode & 0o777, 0o700);
      assert.equal(lstatSync(ground.at('hooks/deep/run.sh')).mode & 0o777, 0o700);
      assert.equal(ground.stat('hooks/deep/run.sh').mtimeMs, MTIME);
      assert.equal(lstatSync(ground.at('hooks/deep/run.sh')).nlink, 1);
      nothingOfOursIsLeft();
    });

    it('overwrites nothing that is there already', async () => {
      ground.write(DOC, 'mine');
      assert.deepEqual(await (await ground.connected()).put(DOC, putOf('theirs', null)), { kind: 'changed' });
      assert.equal(ground.text(DOC), 'mine');
      nothingOfOursIsLeft();
    });

    it('overwrites nothing that appears at the last moment', async () => {
      const replica = await ground.connected();
      ground.once('rename', /tmp/, () => ground.write(DOC, 'mine'));
      assert.deepEqual(await replica.put(DOC, putOf('theirs', null)), { kind: 'changed' });
      assert.equal(ground.text(DOC), 'mine');
      nothingOfOursIsLeft();
    });

    it('does not go through a symlinked folder, nor below a file', async () => {
      mkdirSync(ground.at('elsewhere'));
      symlinkSync(ground.at('elsewhere'), ground.at('agents'));
      ground.write('skills', 'a file');
      const replica = await ground.connected();
      for (const path of [DOC, 'skills/x.md']) {
        const outcome = await replica.put(path, putOf('text', null));
        assert.equal(outcome.kind === 'refused' && outcome.code, 'unsafe-path', path);
      }
      assert.deepEqual(ground.names('elsewhere'), []);
    });

    it('refuses names that leave the folder, that no system can take, or that are ours', async () => {
      const replica = await ground.connected();
      for (const path of [
        '../x',
        '/etc/x',
        'a\\b',
        'a:b',
        'nul',
        'dot.',
        '.claude-sync/replica-id',
        '.Claude-Sync/x',
      ]) {
        const outcome = await replica.put(path, putOf('text', null));
        assert.equal(outcome.kind === 'refused' && outcome.code, 'unsafe-path', path);
      }
    });

    it('refuses a name that differs only in case where the volume folds names', async () => {
      ground.write('agents/A.md', 'mine');
      const folding = await ground.connected({ os: 'macos' });
      // This disk tells cases apart, so the other spelling is made to answer as a folding one would.
      ground.interference = (operation, path) => {
        if (operation === 'lstat' && path === DOC && !ground.exists(DOC)) writeFileSync(ground.at(DOC), '');
        if (operation === 'list' && ground.exists(DOC)) renameSync(ground.at(DOC), ground.at('gone'));
      };
      const outcome = await folding.put(DOC, putOf('theirs', null));
      assert.equal(outcome.kind === 'refused' && outcome.code, 'name-collision');
    });

    it('refuses to put a file into a folder of another spelling where the volume folds names', async () => {
      ground.write('agents/x.md', '');
      ground.write('Agents/y.md', '');
      const folding = await ground.connected({ os: 'windows' });
      ground.once('list', '', () => renameSync(ground.at('agents'), ground.at('elsewhere')));
      const outcome = await folding.put('agents/new.md', putOf('theirs', null));
      assert.equal(outcome.kind === 'refused' && outcome.code, 'name-collision');
    });

    it('syncs before the name appears, unless told otherwise', async () => {
      const synced: boolean[] = [];
      for (const durableCreates of [true, false]) {
        const replica = await ground.connected({ durableCreates });
        let sync = false;
        ground.interference = (operation) => void (operation === 'file.sync' && (sync = true));
        await replica.put(`agents/${durableCreates}.md`, putOf('text', null));
        synced.push(sync);
      }
      assert.deepEqual(synced, [true, false]);
    });

    it('refuses content of another length than announced, after a second try', async () => {
      const replica = await ground.connected();
      let tries = 0;
      const request = {
        ...putOf('text', null),
        size: 5,
        content: async function* () {
          tries++;
          yield Buffer.from('text');
        },
      };
      const outcome = await replica.put(DOC, request);
      assert.equal(outcome.kind === 'refused' && outcome.code, 'io');
      assert.equal(tries, 2);
      assert.equal(ground.exists(DOC), false);
      nothingOfOursIsLeft();
    });

    it('writes a copy that does not read back as written a second time', async () => {
      const replica = await ground.connected();
      ground.once('file.read', /tmp/, () => {
        const [name] = ground.names('.claude-sync/tmp');
        writeFileSync(ground.at(`.claude-sync/tmp/${name}`), 'rotten');
      });
      assert.equal((await replica.put(DOC, putOf('text42', null))).kind, 'done');
      assert.equal(ground.text(DOC), 'text42');
    });
  });

  for (const how of ['exchange', 'swap'] as const) {
    describe(`that replaces by ${how}`, () => {
      beforeEach(() => ground.write(DOC, 'old'));

      it('keeps the old file in undo and makes the rows durable first', async () => {
        const replica = await ground.connected();
        ground.interference = (operation) => {
          if (operation === 'renameOver' || operation === 'hardLink') assert.equal(ground.flushes, 1);
        };
        const outcome = await replica.put(DOC, putOf('new', ground.stat(DOC), how));
        assert.deepEqual(outcome, { kind: 'done', stat: ground.stat(DOC) });
        assert.equal(ground.text(DOC), 'new');
        assert.deepEqual(ground.undoTexts(), ['old']);
        assert.deepEqual(
          ground.rows.undoRows.map((row) => [row.path, row.size]),
          [[DOC, 3]],
        );
        assert.deepEqual(ground.rows.intentRows, []);
        assert.deepEqual(ground.names('.claude-sync/tmp'), []);
        assert.deepEqual(await replica.lateWrites(), []);
      });

      it('touches nothing when the file is not as expected', async () => {
        const expect = ground.stat(DOC);
        appendFileSync(ground.at(DOC), '!');
        assert.deepEqual(await (await ground.connected()).put(DOC, putOf('new', expect, how)), { kind: 'changed' });
        assert.equal(ground.text(DOC), 'old!');
        nothingOfOursIsLeft();
      });

      it('touches nothing when the file changes while the copy is written', async () => {
        const replica = await ground.connected();
        ground.once('file.sync', /tmp/, () => appendFileSync(ground.at(DOC), '!'));
        assert.deepEqual(await replica.put(DOC, putOf('new', ground.stat(DOC), how)), { kind: 'changed' });
        assert.equal(ground.text(DOC), 'old!');
        nothingOfOursIsLeft();
      });

      it('gets back what a writer that still holds the old file appends later', async () => {
        const replica = await ground.connected();
        const descriptor = openSync(ground.at(DOC), 'a');
        await replica.put(DOC, putOf('new', ground.stat(DOC), how));
        writeSync(descriptor, 'late');
        closeSync(descriptor);
        const [late] = await replica.lateWrites();
        assert.deepEqual([late?.path, late?.known, late?.size], [DOC, 3, 7]);
        const bytes: Buffer[] = [];
        for await (const chunk of replica.readUndo(late!.name, late!.known, late!.size)) bytes.push(chunk);
        assert.equal(Buffer.concat(bytes).toString(), 'late');
        replica.acknowledgeUndo(late!.name, late!.size);
        assert.deepEqual(await replica.lateWrites(), []);
      });
    });
  }

  describe('by swap', () => {
    beforeEach(() => ground.write(LOG, 'old\n'));

    it('never leaves the name without a file', async () => {
      const replica = await ground.connected();
      ground.interference = () => assert.ok(ground.exists(LOG));
      assert.equal((await replica.put(LOG, putOf('new\n', ground.stat(LOG), 'swap'))).kind, 'done');
    });

    it('finds bytes written between the last look and the rename as a late write', async () => {
      const replica = await ground.connected();
      ground.once('renameOver', /tmp/, () => appendFileSync(ground.at(LOG), 'late\n'));
      assert.equal((await replica.put(LOG, putOf('new\n', ground.stat(LOG), 'swap'))).kind, 'done');
      assert.deepEqual(ground.undoTexts(), ['old\nlate\n']);
      assert.deepEqual(
        (await replica.lateWrites()).map((late) => [late.known, late.size]),
        [[4, 9]],
      );
    });

    it('touches nothing when somebody writes between the link and the last look', async () => {
      const replica = await ground.connected();
      ground.once('lstat', /undo/, () => appendFileSync(ground.at(LOG), 'x\n'));
      assert.deepEqual(await replica.put(LOG, putOf('new\n', ground.stat(LOG), 'swap')), { kind: 'changed' });
      assert.equal(ground.text(LOG), 'old\nx\n');
      nothingOfOursIsLeft();
    });

    it('is refused where there are no hard links', async () => {
      const replica = await ground.connected();
      ground.interference = (operation, path) => {
        if (operation === 'hardLink') throw new FileSystemError('unsupported', operation, path);
      };
      const outcome = await replica.put(LOG, putOf('new\n', ground.stat(LOG), 'swap'));
      assert.equal(outcome.kind === 'refused' && outcome.code, 'no-hard-links');
      assert.equal(ground.text(LOG), 'old\n');
      nothingOfOursIsLeft();
    });
  });

  describe('by exchange', () => {
    beforeEach(() => ground.write(DOC, 'old'));

    it('puts back what somebody saved between the look and the rename', async () => {
      const replica = await ground.connected();
      ground.once('renameOver', DOC, () => {
        writeFileSync(ground.at('saved'), 'new');
        renameSync(ground.at('saved'), ground.at(DOC));
      });
      assert.deepEqual(await replica.put(DOC, putOf('hub', ground.stat(DOC))), { kind: 'changed' });
      assert.equal(ground.text(DOC), 'new');
      nothingOfOursIsLeft();
    });

    it('leaves a file that took the empty place, and keeps the old one as an unread late write', async () => {
      const replica = await ground.connected();
      ground.once('rename', /tmp/, () => ground.write(DOC, 'editor'));
      assert.deepEqual(await replica.put(DOC, putOf('hub', ground.stat(DOC))), { kind: 'changed' });
      assert.equal(ground.text(DOC), 'editor');
      assert.deepEqual(ground.undoTexts(), ['old']);
      assert.deepEqual(
        (await replica.lateWrites()).map((late) => [late.known, late.size]),
        [[0, 3]],
      );
      assert.deepEqual(ground.rows.intentRows, []);
    });

    it('puts the old file back when the new one cannot take its place', async () => {
      const replica = await ground.connected();
      let failed = false;
      ground.interference = (operation, path) => {
        if (failed || operation !== 'rename') return;
        failed = true;
        throw new FileSystemError('busy', operation, path);
      };
      const outcome = await replica.put(DOC, putOf('hub', ground.stat(DOC)));
      assert.equal(outcome.kind === 'refused' && outcome.code, 'busy');
      assert.equal(ground.text(DOC), 'old');
      nothingOfOursIsLeft();
    });
  });

  it('without the guard for undo keeps nothing of what it replaces', async () => {
    ground.write(DOC, 'old');
    const replica = await ground.connected({}, ['undo-before-replace']);
    assert.equal((await replica.put(DOC, putOf('new', ground.stat(DOC)))).kind, 'done');
    assert.deepEqual(ground.undoTexts(), []);
  });
});
