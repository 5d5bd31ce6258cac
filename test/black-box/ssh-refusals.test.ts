import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { skipWhere } from '../fixtures/ssh/availability.ts';
import { greeting } from '../fixtures/ssh/greeting.ts';
import { makeKey } from '../fixtures/ssh/sshd.ts';
import { Conversation } from './conversation.ts';
import { newSession, until } from './ground.ts';
import { SshGround, type SpokeName, type SshGroundOptions } from './ssh-ground.ts';

const MIB = 1024 * 1024;

describe('SSH machines that refuse or lack something', function () {
  this.timeout(120_000);
  let ground: SshGround;
  const mounted: string[] = [];

  before(skipWhere(() => SshGround.unavailable()));

  afterEach(async () => {
    await ground.hub.endHub('SIGKILL');
    for (const folder of mounted.splice(0)) execFileSync('umount', ['-l', folder]);
    await ground.close();
  });

  async function open(options: SshGroundOptions): Promise<void> {
    ground = await SshGround.open({ config: { sync: { pollSeconds: 1 } }, ...options });
  }

  const home = (name: SpokeName | 'xps') => ground.home(name);

  /** Waits until a machine that is not reached is named with a reason. @returns the reason. */
  async function reasonOf(name: SpokeName, like: RegExp): Promise<string> {
    let reason: string | null = null;
    await until(
      `${name} is named, with a reason like ${like.source}`,
      async () => {
        const report = await ground.hub.report(name);
        reason = report.reason;
        return report.status !== 'online' && reason !== null && like.test(reason);
      },
      30_000,
    );
    return reason!;
  }

  /** Others go on while one is not to be had. */
  async function assertOthersGoOn(): Promise<Conversation> {
    const talk = new Conversation(newSession());
    await talk.reaches(await talk.say(home('xps'), 'from xps'), [['mac', home('mac')]], 20_000);
    await talk.reaches(await talk.say(home('mac'), 'from mac'), [['xps', home('xps')]], 20_000);
    return talk;
  }

  it('a host key that is another than the known one: nothing is done there, and both its fingerprint and the fix are said', async () => {
    await open({ spokes: ['rog', 'mac'] });
    const rog = ground.machine('rog');
    const other = join(ground.hub.root, 'another-key');
    await makeKey(other);
    await rog.rememberHostKey(await readFile(`${other}.pub`, 'utf8'));
    await ground.hub.startHub();
    const reason = await reasonOf('rog', /host key/i);
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(rog.sshd.folder, 'host_ed25519.pub')], {
      encoding: 'utf8',
    });
    assert.ok(reason.includes(/SHA256:\S+/.exec(shown)![0]), `the fingerprint is in: ${reason}`);
    assert.match(reason, /known_hosts|ssh-keygen|ssh-keyscan/, 'the fix is said');
    const talk = await assertOthersGoOn();
    assert.deepEqual(await rog.home.files(), []);
    assert.match((await ground.hub.run('doctor')).stdout, /host key/i);
    await rog.trustHostKey();
    await ground.assertCaughtUp([talk], 90_000);
  });

  it('a host that is not known yet: nothing is done there until its key is accepted', async () => {
    await open({ spokes: ['rog', 'mac'] });
    const rog = ground.machine('rog');
    await rog.forgetHostKey();
    await ground.hub.startHub();
    assert.match(await reasonOf('rog', /host key|known/i), /SHA256:/);
    const talk = await assertOthersGoOn();
    assert.deepEqual(await rog.home.files(), []);
    await rog.trustHostKey();
    await ground.assertCaughtUp([talk], 90_000);
  });

  it('a key that is refused: the machine is named, and what to do', async () => {
    await open({ spokes: ['rog', 'mac'] });
    const rog = ground.machine('rog');
    const authorized = await rog.authorize('');
    await ground.hub.startHub();
    assert.match(await reasonOf('rog', /key|auth|refus/i), /authorized_keys|ssh-copy-id/);
    const talk = await assertOthersGoOn();
    await rog.authorize(authorized);
    await ground.assertCaughtUp([talk], 90_000);
  });

  it('a shell that greets everybody, before each command and on the way in, disturbs nothing', async () => {
    await open({
      spokes: ['rog', 'mac'],
      differences: { rog: () => ({ sshd: { config: ['Banner /etc/debian_version', ...greeting('commands')] } }) },
    });
    await ground.hub.startHub();
    await ground.untilStatus('rog', 'online', 30_000);
    const talk = new Conversation(newSession());
    for (const name of ['rog', 'xps', 'mac', 'rog'] as const) {
      await talk.reaches(await talk.say(home(name), `${talk.lines.length} on ${name}`), ground.hub.homes, 20_000);
    }
    await home('rog').write('agents/new/folder/a.md', 'a\n');
    await until('a new folder is seen', async () => (await home('mac').text('agents/new/folder/a.md')) === 'a\n');
    assert.equal((await ground.hub.report('rog')).watcher, 'inotifywait');
    await ground.assertCaughtUp([talk]);
  });

  it('a shell that greets in the middle of SFTP: nothing is done there, and what the matter is is said', async () => {
    await open({
      spokes: ['rog', 'mac'],
      differences: { rog: () => ({ sshd: { config: greeting('everything') } }) },
    });
    await ground.hub.startHub();
    await reasonOf('rog', /print|SFTP/i);
    const talk = await assertOthersGoOn();
    assert.equal(await talk.trouble([...ground.hub.homes].filter(([name]) => name !== 'rog')), null);
    assert.deepEqual(await home('rog').files(), []);
  });

  it('a folder that may only be read: it is read, the machine is named, and what it lacks comes when it may be written', async () => {
    await open({ spokes: ['rog', 'mac'] });
    const { claudeDir } = home('rog');
    const talk = new Conversation(newSession());
    await talk.say(home('rog'), 'before');
    await ground.hub.startHub();
    await ground.assertCaughtUp([talk]);
    execFileSync('mount', ['--bind', claudeDir, claudeDir]);
    mounted.push(claudeDir);
    execFileSync('mount', ['-o', 'remount,bind,ro', claudeDir]);
    await talk.reaches(await talk.say(home('xps'), 'while it may only be read'), [['mac', home('mac')]], 20_000);
    await home('xps').write('agents/a.md', 'an agent\n');
    await until(
      'rog is named',
      async () => {
        const { alerts, machines } = await ground.hub.status();
        const rog = machines.find(({ name }) => name === 'rog');
        return alerts.some(({ machine }) => machine === 'rog') || (rog?.reason ?? null) !== null;
      },
      60_000,
    );
    assert.equal((await ground.hub.status()).inSync, false);
    execFileSync('mount', ['-o', 'remount,bind,rw', claudeDir]);
    await ground.hub.json('sync', 'rog');
    await ground.assertCaughtUp([talk]);
    assert.equal(await home('rog').text('agents/a.md'), 'an agent\n');
  });

  it('a disk that is full: nothing half-written is visible, the machine is named, and work goes on when there is room', async () => {
    await open({ spokes: ['rog', 'mac'] });
    const { claudeDir } = home('rog');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', claudeDir]);
    mounted.push(claudeDir);
    await home('rog').make();
    await ground.hub.startHub();
    await ground.assertCaughtUp([]);
    await home('rog').write('filler.bin', Buffer.alloc(3 * MIB));
    const talks: Conversation[] = [];
    for (let index = 0; index < 12; index += 1) {
      const talk = new Conversation(newSession());
      talks.push(talk);
      for (let turn = 0; turn < 4; turn += 1) await talk.say(home('xps'), `${index} ${turn}`, 50_000);
    }
    await until(
      'rog is named',
      async () =>
        (await ground.hub.status()).alerts.some(
          ({ machine, message }) => machine === 'rog' && /full|space/.test(message),
        ),
      60_000,
    );
    for (const talk of talks) {
      const copy = await talk.heldBy(home('rog'));
      if (copy === null) continue;
      const whole = (await talk.heldBy(home('xps')))!;
      assert.ok(copy.equals(whole.subarray(0, copy.length)), 'a copy there is the beginning of the original');
    }
    assert.equal((await ground.hub.report('rog')).status, 'online', 'it is still read');
    await talks[0]!.reaches(await talks[0]!.say(home('mac'), 'goes on'), [['xps', home('xps')]], 20_000);
    await home('rog').remove('filler.bin');
    await until(
      'all is there',
      async () => {
        await ground.hub.run('wait', '--timeout', '20');
        return (await ground.hub.status()).inSync;
      },
      60_000,
    );
    await ground.assertCaughtUp(talks);
    assert.deepEqual((await ground.hub.status()).alerts, []);
  });
});
