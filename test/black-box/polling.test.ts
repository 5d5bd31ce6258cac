import assert from 'node:assert/strict';
import { Ground, newSession, until } from './ground.ts';
import { record } from './records.ts';

describe('a machine that is polled', function () {
  this.timeout(90_000);
  let ground: Ground;
  afterEach(() => ground.close());

  it('gives its changes to the others within 10 s, and says that it is polled', async () => {
    ground = await Ground.open({
      machines: ['rog', 'mac'],
      entries: { mac: { watch: 'poll' } },
      config: { sync: { pollSeconds: 1 } },
    });
    const [rog, mac] = [ground.home('rog'), ground.home('mac')];
    const session = newSession();
    await mac.append(mac.sessionPath(session), record({ session, home: mac, name: 'first' }));
    await ground.startHub();
    await ground.settle();
    assert.equal((await ground.report('mac')).watcher, 'poll');
    for (const name of ['second', 'third']) {
      const line = record({ session, home: mac, name });
      await mac.append(mac.sessionPath(session), line);
      await until(
        `${name} is there`,
        async () => (await rog.text(rog.sessionPath(session)))?.endsWith(`${line}\n`) === true,
        15_000,
      );
    }
    await mac.write('agents/new/a.md', 'new\n');
    await until('a new folder is seen', async () => (await rog.text('agents/new/a.md')) === 'new\n', 15_000);
  });
});
