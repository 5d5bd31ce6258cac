import type { Guard } from '../../../src/hub/engine/guards.ts';
import type { Stage } from './stage.ts';

/** A scene in which one guard is what keeps a promise. */
export interface Scene {
  /** What happens, in one sentence. */
  readonly what: string;
  readonly losesPower?: boolean;
  play(stage: Stage): Promise<void>;
}

const NOTES = 'agents/a.md';

/** Scenes for the guards that need exact timing, or whose absence shows in something else than lost content. */
export const SCENES: Readonly<Partial<Record<Guard, Scene>>> = {
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

  'one-copy': {
    what: 'a second copy of a session turns up in another folder, with a line of its own',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      cli.exit();
      await stage.start();
      const path = stage.transcript(rog, cli.session);
      const second = `projects/${rog.projectFolder('work/site')}/${cli.session}.jsonl`;
      const line = JSON.stringify({ type: 'ai-title', aiTitle: 'written in the second copy', sessionId: cli.session });
      rog.write(second, Buffer.from(`${stage.text(rog, path)}${line}\n`, 'latin1'));
      stage.ledger.lineWritten('rog', `session/${cli.session}`, line);
      await stage.pass(60_000);
      await stage.rest();
      const copies = rog
        .files('projects')
        .filter((file) => file.split('/').length === 3 && file.endsWith(`${cli.session}.jsonl`));
      stage.expect(copies.length === 1, `rog has ${copies.length} copies: the CLI finds none of two`);
    },
  },

  'read-back': {
    what: 'the disk of the other machine writes a wrong byte',
    async play(stage) {
      const { rog, xps } = stage;
      await stage.start();
      stage.strike(
        rog,
        'after',
        ({ operation, path }) => operation === 'handle.write' && path.includes('.claude-sync/tmp/'),
        () => {
          for (const { path, inode } of rog.volume.walk(rog.at('.claude-sync/tmp')))
            if (inode.type === 'file' && inode.size > 0 && path !== '') inode.data[0] = 0x58;
        },
      );
      stage.write(xps, NOTES, 'notes\n');
      await stage.until(() => !stage.waiting);
      await stage.until(() => stage.text(rog, NOTES) !== null);
      stage.expect(stage.text(rog, NOTES) === 'notes\n', `rog was given other bytes: ${stage.text(rog, NOTES)}`);
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

  'archive-tail': {
    what: 'the hub dies between the archive and the database',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const tail = [...stage.hubVolume.walk()].find(
        ({ path, inode }) => inode.type === 'file' && path.endsWith(`${cli.session}.jsonl`),
      );
      stage.hub.crash('kill');
      // Bytes of an append that the database does not know: the beginning of a line only.
      if (tail) stage.hubVolume.append(tail.inode, Buffer.from('{"type":"user","uuid":"never comm'));
      await stage.pass(1000);
      await stage.start();
      cli.turn();
      await stage.pass(10_000);
      cli.exit();
      await stage.rest();
      stage.expect(
        stage.text(rog, stage.transcript(rog, cli.session))?.includes('never comm') === false,
        'rog got bytes that were never committed',
      );
    },
  },

  'quarantine-emptied': {
    what: 'a machine comes back with an empty disk',
    async play(stage) {
      const { rog, xps } = stage;
      for (let i = 0; i < 12; i++) stage.write(xps, `agents/n${i}.md`, `note ${i}\n`);
      await stage.start();
      for (const { name } of rog.volume.list(rog.root)) rog.volume.removeTree(rog.at(name));
      await stage.wait(stage.hub.scanAll());
      await stage.rest();
      await stage.pass(60_000);
      stage.expect(stage.hub.quarantined().has('rog'), 'the machine was not stopped');
      for (let i = 0; i < 12; i++)
        stage.expect(stage.text(xps, `agents/n${i}.md`) !== null, `xps lost n${i} with the disk of rog`);
      stage.expect(rog.files('agents').length === 0, 'something was written to a machine that ought to be stopped');
    },
  },

  'quarantine-deletes': {
    what: 'a script on one machine deletes thirty documents at once',
    async play(stage) {
      const { rog, xps } = stage;
      for (let i = 0; i < 40; i++) stage.write(xps, `agents/n${i}.md`, `note ${i}\n`);
      await stage.start();
      for (let i = 0; i < 30; i++) stage.remove(rog, `agents/n${i}.md`);
      await stage.rest();
      await stage.pass(60_000);
      stage.expect(stage.hub.quarantined().has('rog'), 'the machine was not stopped');
      const left = xps.files('agents').length;
      stage.expect(left >= 20, `only ${left} of 40 documents are left on xps`);
    },
  },

  'quarantine-back-in-time': {
    what: 'an old backup is put back on one machine',
    async play(stage) {
      const { rog, xps } = stage;
      for (let i = 0; i < 30; i++) stage.write(xps, `agents/n${i}.md`, `first ${i}\n`);
      await stage.start();
      for (let i = 0; i < 8; i++) stage.write(xps, `agents/n${i}.md`, `second ${i}\n`);
      await stage.rest();
      for (let i = 0; i < 8; i++) stage.write(rog, `agents/n${i}.md`, `first ${i}\n`);
      await stage.rest();
      await stage.pass(60_000);
      stage.expect(stage.hub.quarantined().has('rog'), 'the machine was not stopped');
      const kept = Array.from({ length: 8 }, (_, i) => stage.text(xps, `agents/n${i}.md`)).filter((text) =>
        text?.startsWith('second'),
      );
      stage.expect(kept.length >= 5, `${8 - kept.length} documents went back in time on xps`);
    },
  },

  'own-writes-by-result': {
    what: 'the hub hears of what it wrote itself',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      cli.exit();
      await stage.start();
      const before = stage.requests.length;
      const path = stage.transcript(rog, cli.session);
      const inode = rog.volume.find(rog.at(path));
      // What a watcher tells after a write of the hub: a notice, and a file that is as the hub left it.
      for (let i = 0; i < 5; i++) {
        const mtimeMs = inode?.mtimeMs ?? 0;
        if (inode) rog.volume.rewriteFrom(inode, inode.size, Buffer.alloc(0));
        if (inode) rog.volume.setTimes(inode, mtimeMs);
        await stage.pass(1000);
      }
      const read = stage.requests.slice(before).filter((request) => /^rog handle\.read .*jsonl$/.test(request));
      stage.expect(read.length === 0, `${read.length} reads of a file that nobody changed`);
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
};
