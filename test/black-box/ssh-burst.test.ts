import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { skewed } from '../fixtures/ssh/skewed.ts';
import { Conversation } from './conversation.ts';
import { newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { SshGround, type SshGroundOptions } from './ssh-ground.ts';

/** Several events each: enough to come near what a queue of inotify holds (16,384), and what overflows is not told of. */
const MANY = 5_000;
const DAY = 86_400;

describe('SSH machines where much happens at once, or whose clock is another', function () {
  this.timeout(180_000);
  let ground: SshGround;

  before(skipWhere(() => SshGround.unavailable()));

  afterEach(() => ground.close());

  async function open(options: SshGroundOptions): Promise<void> {
    ground = await SshGround.open({ config: { sync: { pollSeconds: 1 } }, ...options });
    await ground.hub.startHub();
    await ground.assertCaughtUp([]);
  }

  it(`${MANY} files that appear at once on a spoke are on all others, and lines go on meanwhile`, async () => {
    await open({});
    const { hub } = ground;
    const talk = new Conversation(newSession());
    await talk.reaches(await talk.say(ground.home('xps'), 'before'), hub.homes, 20_000);
    const rog = ground.home('rog');
    const paths = Array.from({ length: MANY }, (_, index) => `skills/s${index % 500}/part-${index}.md`);
    await Promise.all(paths.map((path) => writeNew(rog, path, `${path}\n${'x'.repeat(200)}\n`)));
    for (let turn = 0; turn < 5; turn += 1) {
      const line = await talk.say(ground.home('xps'), `meanwhile ${turn}`);
      await talk.reaches(line, [['mac', ground.home('mac')]], 20_000);
    }
    await until(
      'all of them are known',
      async () => (await hub.status()).machines.every(({ files }) => files > MANY),
      150_000,
    );
    await ground.assertCaughtUp([talk], 90_000);
    for (const [name, home] of hub.homes) {
      const found = (await home.files()).filter((path) => path.startsWith('skills/'));
      assert.deepEqual(found, [...paths].sort(), `what ${name} has`);
      for (const path of paths) assert.equal(await home.text(path), `${path}\n${'x'.repeat(200)}\n`);
    }
    assert.deepEqual((await hub.status()).alerts, []);
  });

  for (const days of [1, -1]) {
    it(`a spoke whose clock is ${days} day off: of two edits, the later one wins, and lines travel as ever`, async () => {
      const entry = { os: 'linux', watch: 'poll' };
      await open({
        spokes: ['rog', 'mac'],
        differences: { rog: ({ path }) => ({ entry, sshd: skewed(days * DAY, path) }) },
      });
      const { hub } = ground;
      const [rog, xps] = [ground.home('rog'), ground.home('xps')];
      const talk = new Conversation(newSession());
      for (const name of ['rog', 'xps', 'rog', 'mac'] as const) {
        await talk.reaches(await talk.say(ground.home(name), `${talk.lines.length} on ${name}`), hub.homes, 20_000);
      }
      const files = ['agents/rog-later.md', 'agents/xps-later.md'];
      for (const path of files) await xps.write(path, 'first\n');
      await ground.assertCaughtUp([talk]);
      await hub.endHub();
      const now = Date.now() / 1_000;
      for (const [path, home, text, ago] of [
        ['agents/rog-later.md', xps, 'earlier, on xps\n', 600],
        ['agents/rog-later.md', rog, 'later, on rog\n', 300],
        ['agents/xps-later.md', rog, 'earlier, on rog\n', 600],
        ['agents/xps-later.md', xps, 'later, on xps\n', 300],
      ] as const) {
        await home.write(path, text);
        await utimes(home.file(path), now - ago, now - ago);
      }
      await hub.startHub();
      await ground.assertCaughtUp([talk]);
      for (const [name, home] of hub.homes) {
        assert.equal(await home.text('agents/rog-later.md'), 'later, on rog\n', name);
        assert.equal(await home.text('agents/xps-later.md'), 'later, on xps\n', name);
      }
      const kept = await Promise.all(files.map((path) => hub.versions(path)));
      for (const versions of kept) assert.ok(versions.some(({ reason }) => reason === 'lost-conflict'));
      assert.equal((await hub.status()).machines.find(({ name }) => name === 'rog')?.status, 'online');
    });
  }
});

async function writeNew(home: Home, path: string, text: string): Promise<void> {
  await mkdir(dirname(home.file(path)), { recursive: true, mode: 0o700 });
  await writeFile(home.file(path), text, { mode: 0o600 });
}
