import type { Scenes } from './scene.ts';

/** Scenes about whole machines, secrets and what was forgotten. */
export const SAFEGUARD_SCENES: Scenes = {
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
