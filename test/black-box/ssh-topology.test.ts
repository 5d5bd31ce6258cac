import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { Conversation } from './conversation.ts';
import { newSession, until } from './ground.ts';
import { SshGround } from './ssh-ground.ts';

const MACHINES = ['xps', 'rog', 'mac', 'nelly'] as const;

describe('the four machines of the reference user, over real SSH', function () {
  this.timeout(120_000);
  let ground: SshGround;

  before(skipWhere(() => SshGround.unavailable()));

  beforeEach(async () => {
    ground = await SshGround.open({ config: { sync: { pollSeconds: 1 } } });
  });

  afterEach(() => ground.close());

  it('from an empty start: what is said on one is in the right project folder of each, in both directions', async () => {
    const { hub } = ground;
    await hub.startHub();
    assert.equal((await hub.settle()).settled, true);
    assert.deepEqual(
      (await hub.status()).machines.map(({ name, role, os, status, watcher }) => [name, role, os, status, watcher]),
      [
        ['xps', 'hub', 'linux', 'online', 'inotify'],
        ['rog', 'spoke', 'linux', 'online', 'inotifywait'],
        ['mac', 'spoke', 'macos', 'online', 'fswatch'],
        ['nelly', 'spoke', 'windows', 'online', 'poll'],
      ],
    );

    const talk = new Conversation(newSession());
    await talk.reaches(await talk.say(ground.home('rog'), 'begun on rog'), hub.homes, 20_000);
    for (const name of MACHINES) {
      // The folder is named after the path of the checkout on that machine, in that machine's own spelling.
      const files = await ground.home(name).files();
      const own = files.filter((path) => path.includes(talk.session));
      assert.deepEqual(own, [ground.home(name).sessionPath(talk.session)], `where ${name} has it`);
    }
    assert.match(ground.home('nelly').sessionPath(talk.session), /^projects\/C--Users-nelly-code-app\//);

    for (const [turn, name] of ['xps', 'mac', 'nelly', 'rog', 'nelly', 'mac', 'xps', 'rog'].entries()) {
      const line = await talk.say(ground.home(name as 'xps'), `turn ${turn} on ${name}`, 4_000);
      await talk.reaches(line, hub.homes, 15_000);
    }

    for (const name of MACHINES) {
      await ground.home(name).write(`agents/of-${name}.md`, `An agent that ${name} wrote.\n`);
    }
    for (const name of MACHINES) {
      for (const [other, home] of hub.homes) {
        await until(
          `${other} has the agent of ${name}`,
          async () => (await home.text(`agents/of-${name}.md`)) === `An agent that ${name} wrote.\n`,
          15_000,
        );
      }
    }

    assert.equal((await hub.settle()).settled, true);
    assert.equal(await talk.trouble(hub.homes), null);
    const { inSync, conflicts, alerts, machines } = await hub.status();
    assert.deepEqual({ inSync, conflicts, alerts }, { inSync: true, conflicts: { open: 0 }, alerts: [] });
    assert.deepEqual(
      machines.map(({ name, files, pending, reason }) => [name, files, pending, reason]),
      MACHINES.map((name) => [name, 5, 0, null]),
    );
  });

  it('what each had before it met the others is everywhere afterwards, folders that are new and deep as well', async () => {
    const { hub } = ground;
    const talks: Conversation[] = [];
    for (const name of MACHINES) {
      const talk = new Conversation(newSession());
      talks.push(talk);
      for (let turn = 0; turn < 20; turn += 1) await talk.say(ground.home(name), `${name} ${turn}`, 2_000);
      await ground.home(name).write(`skills/of-${name}/deep/er/SKILL.md`, `skill of ${name}\n`);
    }
    await hub.startHub();
    await hub.settle();
    for (const talk of talks) assert.equal(await talk.trouble(hub.homes), null);
    // Made while everybody watches.
    for (const name of MACHINES) {
      const home = ground.home(name);
      const folder = join(home.claudeDir, 'agents', `new-${name}`, 'a', 'b');
      await mkdir(folder, { recursive: true });
      await home.write(`agents/new-${name}/a/b/c.md`, `new on ${name}\n`);
      for (const [other, there] of hub.homes) {
        await until(
          `${other} has the new folder of ${name}`,
          async () => (await there.text(`agents/new-${name}/a/b/c.md`)) === `new on ${name}\n`,
          20_000,
        );
      }
    }
    await hub.settle();
    const expected = await ground.home('xps').files();
    for (const [name, home] of hub.homes) {
      assert.equal((await home.files()).length, expected.length, `files on ${name}`);
      for (const other of MACHINES) {
        assert.equal(
          await home.text(`skills/of-${other}/deep/er/SKILL.md`),
          `skill of ${other}\n`,
          `${other} on ${name}`,
        );
      }
    }
  });

  it('a credential never leaves a machine, whichever way it is reached', async () => {
    const { hub } = ground;
    for (const name of MACHINES) await ground.home(name).write('.credentials.json', `{"of":"${name}"}`);
    await hub.startHub();
    for (const name of MACHINES) await ground.home(name).write(`rules/of-${name}.md`, `${name}\n`);
    await hub.settle();
    for (const [name, home] of hub.homes) {
      assert.deepEqual(
        await home.files(),
        ['.credentials.json', ...MACHINES.map((other) => `rules/of-${other}.md`).sort()],
        name,
      );
      assert.equal(await home.text('.credentials.json'), `{"of":"${name}"}`);
    }
  });

  it('a deleted agent goes everywhere, and a session that clean-up takes from one stays on the others', async () => {
    const { hub } = ground;
    const talk = new Conversation(newSession());
    await ground.home('rog').write('agents/gone.md', 'soon gone\n');
    await talk.say(ground.home('mac'), 'stays');
    await hub.startHub();
    await hub.settle();
    await ground.home('nelly').remove('agents/gone.md');
    await ground.home('rog').remove(ground.home('rog').sessionPath(talk.session));
    for (const [name, home] of hub.homes) {
      await until(`the agent is gone on ${name}`, async () => (await home.text('agents/gone.md')) === null, 30_000);
    }
    await hub.settle();
    const others = [...hub.homes].filter(([name]) => name !== 'rog');
    assert.equal(await talk.trouble(others), null);
    assert.equal(await talk.heldBy(ground.home('rog')), null);
  });
});
