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

  'unknown-outcome': {
    what: 'the connection breaks when an append has been done and before anybody is told',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      stage.strike(
        rog,
        'after',
        ({ operation, path }) => operation === 'handle.write' && path.endsWith('.jsonl'),
        () => rog.link.cut(),
      );
      cli.turn();
      await stage.until(() => !stage.waiting);
      await stage.pass(5000);
      rog.link.restore();
      await stage.rest();
      const lines = (stage.text(rog, stage.transcript(rog, cli.session)) ?? '').split('\n').slice(0, -1);
      stage.expect(new Set(lines).size === lines.length, 'rog has lines twice');
      cli.exit();
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
    what: 'one machine deletes what the other one goes on writing, out of each other\'s sight',
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

  'cut-keeps-head': {
    what: 'a message is withdrawn on one machine',
    async play(stage) {
      const { xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.interject();
      await stage.pass(5000);
      const before = (await stage.contents()).heads.get(`session/${cli.session}`);
      cli.withdraw();
      await stage.pass(10_000);
      const after = (await stage.contents()).heads.get(`session/${cli.session}`);
      stage.expect((after?.length ?? 0) >= (before?.length ?? 1), 'the head lost the withdrawn message');
      cli.exit();
    },
  },

  'whole-lines': {
    what: 'a program dies in the middle of a line',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.exit();
      const inode = xps.volume.find(xps.at(stage.transcript(xps, cli.session)));
      if (inode) xps.volume.append(inode, Buffer.from('{"type":"assistant","uuid":"half a l'));
      await stage.pass(5000);
      stage.expect(
        stage.text(rog, stage.transcript(rog, cli.session))?.includes('half a l') === false,
        'rog got half a line',
      );
    },
  },

  'verify-prefix': {
    what: 'a message is withdrawn, and more is written than was taken away, between two looks',
    async play(stage) {
      const { xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      cli.withdraw();
      for (let i = 0; i < 4; i++) cli.interject();
      await stage.pass(10_000);
      cli.exit();
    },
  },

  'merge-divergence': {
    what: 'the same session is continued on both machines at once',
    async play(stage) {
      await divergence(stage);
    },
  },

  'merge-cursor': {
    what: 'the same session is continued on both machines at once, and then again on each',
    async play(stage) {
      await divergence(stage);
    },
  },

  'append-precondition': {
    what: 'a program dies in the middle of a line just before the hub appends',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      stage.strike(
        rog,
        'before',
        ({ operation, path }) => operation === 'open-append' && path.endsWith('.jsonl'),
        () => tear(stage, rog, cli.session),
      );
      cli.turn();
      await stage.until(() => !stage.waiting);
      await stage.pass(30_000);
      cli.exit();
    },
  },

  'torn-target': {
    what: 'a program died in the middle of a line a while ago, and the other machine goes on',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      tear(stage, rog, cli.session);
      await stage.pass(3000);
      cli.turn();
      await stage.pass(30_000);
      cli.exit();
    },
  },

  'live-append-only': {
    what: 'a session that diverged stays open on both machines',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      await stage.pass(20_000);
      // Both write before either line can have travelled.
      cli.interject();
      other.interject();
      await stage.pass(60_000);
      cli.exit();
      other.exit();
    },
  },

  'late-writes': {
    what: 'a program that had the file open writes into it after the hub has replaced it',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      await stage.start();
      const other = stage.resume(rog, cli.session);
      const open = rog.volume.find(rog.at(stage.transcript(rog, cli.session)));
      rog.link.cut();
      cli.interject();
      other.interject();
      cli.exit();
      other.exit();
      await stage.pass(10_000);
      rog.link.restore();
      await stage.until(() => rog.volume.find(rog.at(stage.transcript(rog, cli.session))) !== open);
      const line = JSON.stringify({ type: 'ai-title', aiTitle: 'written late', sessionId: cli.session });
      if (open) rog.volume.append(open, Buffer.from(`${line}\n`));
      stage.ledger.lineWritten('rog', `session/${cli.session}`, line);
      await stage.pass(60_000);
    },
  },

  'keep-loser': {
    what: 'both users rewrite the same line, out of each other\'s sight',
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

  'deny-rules': {
    what: 'a secret lies in a folder that travels',
    async play(stage) {
      const { rog } = stage;
      const marker = 'SECRET-0123456789ab';
      stage.ledger.secrets.set(marker, 'rog');
      stage.write(rog, 'skills/x/SKILL.md', 'a skill\n');
      rog.write('skills/x/.env', Buffer.from(`token=${marker}\n`));
      await stage.start();
    },
  },

  'forgotten-stays': {
    what: 'a session is forgotten while one machine is away, and that machine comes back',
    async play(stage) {
      const { rog, xps } = stage;
      const cli = stage.converse(xps);
      await stage.pass(5000);
      cli.exit();
      await stage.start();
      rog.link.cut();
      await stage.pass(5000);
      stage.ledger.forgottenSessions.add(cli.session);
      await stage.wait(stage.hub.forget(cli.session));
      await stage.pass(5000);
      rog.link.restore();
      await stage.rest();
    },
  },
};

/** Both machines write into one session before either line can have travelled, and go on afterwards. */
async function divergence(stage: Stage): Promise<void> {
  const { rog, xps } = stage;
  const cli = stage.converse(xps);
  await stage.pass(5000);
  await stage.start();
  const other = stage.resume(rog, cli.session);
  await stage.pass(2000);
  for (let i = 0; i < 3; i++) {
    cli.turn();
    other.turn();
    await stage.pass(5000);
  }
  cli.exit();
  other.exit();
}

/** A program on `machine` dies in the middle of a line of this session. */
function tear(stage: Stage, machine: Stage['rog'], session: string): void {
  const inode = machine.volume.find(machine.at(stage.transcript(machine, session)));
  const torn = '{"type":"ai-title","aiTitle":"half a ti';
  stage.ledger.remember(`session/${session}`, torn);
  if (inode) machine.volume.append(inode, Buffer.from(torn));
}
