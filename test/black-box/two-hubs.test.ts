import assert from 'node:assert/strict';
import { Ground, newSession, until } from './ground.ts';
import { record } from './records.ts';

describe('two hubs with data folders of their own on the same Claude folders', function () {
  this.timeout(120_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.open({ machines: ['rog', 'mac'] });
  });

  afterEach(() => ground.close());

  it('the second one keeps out and says why, and goes on by itself when the first one has stopped', async () => {
    const [rog, mac] = [ground.home('rog'), ground.home('mac')];
    const session = newSession();
    await rog.append(rog.sessionPath(session), record({ session, home: rog, name: 'first' }));
    await ground.startHub();
    await ground.settle();

    const second = ground.beside('second');
    await second.startHub();
    const status = await second.status();
    assert.deepEqual(
      status.machines.map((machine) => machine.status),
      ['quarantined', 'quarantined'],
    );
    assert.match(
      status.machines[0]?.reason ?? '',
      new RegExp(`another hub on .* \\(pid ${ground.hubPid}\\) syncs this folder`),
    );
    assert.equal(status.inSync, false);
    const resumed = await second.run('machines', 'resume', 'rog');
    assert.equal(resumed.code, 1, resumed.stdout);
    assert.match(resumed.stderr, /another hub/);
    assert.equal(await second.archived(`session/${session}`), null, 'nothing was read into heads');

    await mac.append(mac.sessionPath(session), record({ session, home: mac, name: 'second' }));
    await ground.settle();
    assert.equal((await ground.status()).inSync, true, 'the first one is not disturbed');
    await ground.endHub('SIGKILL');
    await until(
      'the second one goes on',
      async () => (await second.status()).machines.every((machine) => machine.status === 'online'),
      90_000,
    );
    await second.settle();
    assert.ok(
      (await second.archived(`session/${session}`))?.equals((await rog.read(rog.sessionPath(session))) ?? Buffer.of()),
    );
    await second.endHub();

    await ground.startHub();
    await ground.settle();
    assert.equal((await ground.report('rog')).status, 'online', 'an orderly stop lets the other one begin at once');
  });
});
