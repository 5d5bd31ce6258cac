import assert from 'node:assert/strict';
import { Ground } from './ground.ts';

describe('a second hub', function () {
  this.timeout(60_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.open();
  });

  afterEach(() => ground.close());

  it('on the same data ends with exit code 1 and names the first one, which goes on', async () => {
    await ground.startHub();
    const { pid, socket } = await ground.json<{ pid: number; socket: string }>('where');
    assert.equal(pid, ground.hubPid);
    const second = await ground.run('hub');
    assert.equal(second.code, 1);
    assert.ok(second.stderr.includes(String(pid)), second.stderr);
    assert.ok(second.stderr.includes(socket), second.stderr);
    await ground.home('rog').write('CLAUDE.md', 'still synced\n');
    await ground.settle();
    assert.equal(await ground.home('mac').text('CLAUDE.md'), 'still synced\n');
  });

  it('starts after the first one was killed, although its files are still there', async () => {
    await ground.startHub();
    await ground.restartHub('SIGKILL');
    assert.equal((await ground.json<{ pid: number }>('where')).pid, ground.hubPid);
    assert.equal(await ground.endHub(), 0, 'an orderly stop ends with 0');
    assert.equal((await ground.run('status')).code, 3);
  });
});
