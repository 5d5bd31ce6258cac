import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { Conversation } from './conversation.ts';
import { newSession, until } from './ground.ts';
import type { Home } from './home.ts';
import { SshGround } from './ssh-ground.ts';

const LOCKING = join(import.meta.dirname, '../fixtures/ssh/locking-sftp.ts');
const LATEST_MS = 20_000;
const run = promisify(execFile);

describe('a Windows machine over SSH', function () {
  this.timeout(120_000);
  let ground: SshGround;
  let rog: Home;
  let laptop: Home;
  const undone: (() => Promise<unknown>)[] = [];

  before(skipWhere(() => SshGround.unavailable()));

  /** `prepare` runs before the hub begins. */
  async function open(prepare: (home: Home) => Promise<void> = async () => undefined): Promise<void> {
    // A Windows machine whose programs hold files open; no real one can be had here, so its server refuses what Windows would refuse.
    ground = await SshGround.open({
      spokes: ['rog', 'mac'],
      config: { sync: { pollSeconds: 1 } },
      differences: {
        mac: ({ path }) => ({
          entry: { os: 'windows' },
          sshd: { kind: 'sftp-only', config: [`ForceCommand ${process.execPath} ${LOCKING} ${path}`] },
        }),
      },
    });
    [rog, laptop] = [ground.home('rog'), ground.home('mac')];
    await prepare(laptop);
    await ground.hub.startHub();
    await ground.assertCaughtUp([]);
  }

  afterEach(async () => {
    await ground.hub.endHub();
    for (const undo of undone.splice(0).reverse()) await undo();
    await ground.close();
  });

  const lock = (...names: string[]): Promise<void> => writeFile(join(laptop.path, 'locked'), names.join('\n'));

  it('a file that a program has open is waited for, and the others go on', async () => {
    await open();
    const talk = new Conversation(newSession());
    await talk.reaches(await talk.say(rog, 'before'), ground.hub.homes, LATEST_MS);
    await rog.write('agents/a.md', 'first\n');
    await ground.assertCaughtUp([talk]);

    await lock('a.md', `${talk.session}.jsonl`);
    await rog.write('agents/a.md', 'second\n');
    const line = await talk.say(rog, 'while it is in use');
    await talk.reaches(line, [['xps', ground.home('xps')]], LATEST_MS);
    await until(
      'what waits is named',
      async () => {
        const { stdout } = await ground.hub.run('status', '--json');
        return stdout.includes('another program has the file open');
      },
      LATEST_MS,
    );
    assert.equal(await laptop.text('agents/a.md'), 'first\n');
    // What is written there meanwhile is read as soon as it can be.
    const own = await talk.say(laptop, 'said there');

    await lock();
    await talk.reaches(own, [['xps', ground.home('xps')]], LATEST_MS);
    await until('the new text is there', async () => (await laptop.text('agents/a.md')) === 'second\n', LATEST_MS);
    for (const [name, home] of ground.hub.homes) {
      const held = (await talk.heldBy(home))?.toString('utf8') ?? '';
      for (const written of [line, own])
        await until(
          `${name} has each line once`,
          async () => (await talk.heldBy(home))!.toString('utf8').split(`${written}\n`).length === 2,
          LATEST_MS,
        );
      assert.ok(held.length > 0);
    }
  });

  it('names that it cannot hold, or takes for one, stay where they are and are named', async function () {
    if (!existsSync('/dev/fuse')) {
      console.log('skipped: a volume that folds names takes FUSE');
      return this.skip();
    }
    await open(async ({ claudeDir, path }) => {
      // A volume of Windows: names that differ in case are one.
      const image = join(path, 'volume');
      await run('truncate', ['-s', '16M', image]);
      await run('mkfs.ntfs', ['-q', '-F', image]);
      await run('lowntfs-3g', ['-o', 'ignore_case', image, claudeDir]);
      undone.push(() => run('umount', [claudeDir]));
    });
    await rog.write('agents/review.md', 'small\n');
    await until('the first is there', async () => (await laptop.text('agents/review.md')) === 'small\n', LATEST_MS);
    await rog.write('agents/Review.md', 'capital\n');
    await rog.write('Agents/other.md', 'no folder of Claude\n');
    await rog.write('agents/con.md', 'reserved\n');
    await rog.write('agents/ordinary.md', 'ordinary\n');
    await until(
      'what can be there is there',
      async () => (await laptop.text('agents/ordinary.md')) !== null,
      LATEST_MS,
    );
    await until(
      'what is held is named, with the machine',
      async () => {
        const { stdout } = await ground.hub.run('wait', '--timeout', '2');
        return /Review\.md on mac/.test(stdout) && /con\.md on rog/.test(stdout);
      },
      LATEST_MS,
    );
    assert.deepEqual(await laptop.files(), ['agents/ordinary.md', 'agents/review.md']);
    assert.equal(await laptop.text('agents/review.md'), 'small\n');
    // Linux tells them apart.
    for (const [path, text] of [
      ['agents/Review.md', 'capital\n'],
      ['agents/review.md', 'small\n'],
    ] as const)
      await until(`xps has ${path}`, async () => (await ground.home('xps').text(path)) === text, LATEST_MS);
  });
});
