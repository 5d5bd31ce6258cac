import type { Scenes } from './scene.ts';

const NOTES = 'agents/a.md';

/** Scenes about files that have content as a whole. */
export const DOCUMENT_SCENES: Scenes = {
  'unknown-is-not-absent': {
    what: 'a folder cannot be read for a while',
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'notes\n');
      await stage.start();
      const folder = rog.volume.find(rog.at('agents'));
      if (folder) folder.sealed = true;
      await stage.wait(stage.hub.scanAll());
      await stage.pass(10_000);
      stage.expect(stage.text(xps, NOTES) === 'notes\n', 'what could not be read on rog was deleted on xps');
      if (folder) folder.sealed = false;
    },
  },

  'confirm-delete': {
    what: 'an editor saves by deleting and creating anew',
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'first\n');
      await stage.start();
      stage.remove(xps, NOTES);
      for (let waited = 0; waited < 2000; waited += 100) {
        await stage.pass(100);
        stage.expect(stage.text(rog, NOTES) !== null, 'the document vanished on rog while xps saved it');
      }
      stage.write(xps, NOTES, 'second\n');
      await stage.rest();
      stage.expect(stage.text(rog, NOTES) === 'second\n', 'the saved document did not arrive');
    },
  },

  'evict-not-delete': {
    what: "Claude's clean-up removes a plan on one machine",
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, 'plans/p.md', 'plan\n');
      await stage.start();
      stage.remove(rog, 'plans/p.md');
      await stage.rest();
      stage.expect(stage.text(xps, 'plans/p.md') === 'plan\n', 'what was cleaned up on rog was deleted on xps');
    },
  },

  'read-back': {
    what: "the disk of the hub's own machine writes a wrong byte",
    async play(stage) {
      const { rog, xps } = stage;
      await stage.start();
      stage.strike(
        xps,
        'after',
        ({ operation, path }) => operation === 'handle.write' && path.includes('.claude-sync/tmp/'),
        () => {
          for (const { path, inode } of xps.volume.walk(xps.at('.claude-sync/tmp')))
            if (inode.type === 'file' && inode.size > 0 && path !== '') inode.data[0] = 0x58;
        },
      );
      stage.write(rog, NOTES, 'notes\n');
      await stage.until(() => !stage.waiting);
      await stage.until(() => stage.text(xps, NOTES) !== null);
      stage.expect(stage.text(xps, NOTES) === 'notes\n', `xps was given other bytes: ${stage.text(xps, NOTES)}`);
    },
  },

  'epoch-temps': {
    what: 'a rename of an old connection is executed after the next one was made',
    async play(stage) {
      const { rog, xps } = stage;
      await stage.start();
      // The connection stalls with the rename in its queue, breaks, and the server wakes up later.
      let stale: (() => void) | null = null;
      stage.strike(
        rog,
        'after',
        ({ operation, path }) => operation === 'handle.close' && path.includes('.claude-sync/tmp/'),
        () => {
          const temp = [...rog.volume.walk(rog.at('.claude-sync/tmp'))].find(({ inode }) => inode.type === 'file');
          if (temp)
            stale = () => {
              if (rog.volume.find(temp.path) && !rog.volume.find(rog.at(NOTES)))
                rog.volume.as('hub', () => rog.volume.rename(temp.path, rog.at(NOTES), false));
            };
          rog.link.cut();
        },
      );
      stage.write(xps, NOTES, 'old\n');
      await stage.until(() => !stage.waiting);
      await stage.pass(3000);
      stage.remove(xps, NOTES);
      await stage.pass(6000);
      rog.link.restore();
      await stage.rest();
      (stale as (() => void) | null)?.();
      await stage.rest();
      stage.expect(stage.text(rog, NOTES) === null, 'a deleted document came back from an old connection');
    },
  },

  'create-exclusive': {
    what: 'the user makes a file of the same name just before the new one is put in place',
    async play(stage) {
      const { rog, xps } = stage;
      await stage.start();
      stage.strike(
        rog,
        'before',
        ({ operation, path }) => /^rename/.test(operation) && /(\/tmp\/|agents\/a\.md$)/.test(path),
        () => stage.write(rog, NOTES, 'made on rog\n'),
      );
      stage.write(xps, NOTES, 'made on xps\n');
      await stage.until(() => !stage.waiting);
      await stage.rest();
    },
  },

  'undo-before-replace': {
    what: 'the user saves a document just before the hub replaces it',
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'first\n');
      await stage.start();
      stage.strike(
        rog,
        'before',
        ({ operation, path }) => /^rename/.test(operation) && /(\/tmp\/|agents\/a\.md$)/.test(path),
        () => stage.write(rog, NOTES, 'saved on rog\n'),
      );
      stage.write(xps, NOTES, 'second\n');
      await stage.until(() => !stage.waiting);
      await stage.rest();
    },
  },

  'durable-before-destructive': {
    what: 'power fails right after the hub has replaced the only other copy of a text',
    losesPower: true,
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'first\n');
      await stage.start();
      // Both have the edit of rog; then xps edits, and what rog had is only in the archive and in undo.
      stage.write(rog, NOTES, 'only on rog\n');
      await stage.until(() => stage.text(xps, NOTES) === 'only on rog\n');
      stage.write(xps, NOTES, 'newer\n');
      await stage.until(() => stage.text(rog, NOTES) === 'newer\n');
      for (const machine of stage.machines) {
        for (const { path, inode } of [...machine.volume.walk(machine.at('.claude-sync/undo'))])
          if (inode.type === 'file') machine.volume.unlink(path);
      }
      await stage.crash('power-loss');
      await stage.rest();
    },
  },

  'union-without-base': {
    what: 'two machines meet for the first time with different notes of one name',
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'of xps\n');
      stage.write(rog, NOTES, 'of rog\n');
      await stage.start();
      stage.expect(stage.text(xps, NOTES) === 'of xps\n', 'xps was overwritten at the first meeting');
      stage.expect(stage.text(rog, NOTES) === 'of rog\n', 'rog was overwritten at the first meeting');
    },
  },

  'change-beats-delete': {
    what: "one machine deletes what the other one goes on writing, out of each other's sight",
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'first\n');
      stage.write(xps, 'agents/b.md', 'another\n');
      await stage.start();
      rog.link.cut();
      stage.remove(rog, NOTES);
      stage.write(xps, NOTES, 'second\n');
      await stage.pass(10_000);
      rog.link.restore();
      await stage.rest();
      stage.expect(stage.text(xps, NOTES) === 'second\n', 'the change on xps was taken away');
      stage.expect(stage.text(rog, NOTES) === 'second\n', 'the change did not reach rog');
    },
  },

  'keep-loser': {
    what: "both users rewrite the same line, out of each other's sight",
    async play(stage) {
      const { rog, xps } = stage;
      stage.write(xps, NOTES, 'first\n');
      await stage.start();
      rog.link.cut();
      stage.write(xps, NOTES, 'as xps sees it\n');
      await stage.pass(5000);
      stage.write(rog, NOTES, 'as rog sees it\n');
      await stage.pass(5000);
      rog.link.restore();
      await stage.rest();
    },
  },
};
