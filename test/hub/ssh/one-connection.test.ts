import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sshd } from '../../fixtures/ssh/sshd.ts';
import { HubGround, until } from '../hub-ground.ts';
import { SshGround } from './ground.ts';

describe('a machine over SSH', function () {
  this.timeout(60_000);
  let servers: SshGround;
  let server: Sshd;
  let ground: HubGround;
  beforeEach(async () => {
    servers = await SshGround.make();
    server = await servers.serve('mac');
    ground = await HubGround.open({
      entries: { mac: { ...server.entry, home: undefined } },
      prepare: (made) => made.write('rog', 'agents/a.md', 'one\n'),
    });
  });
  afterEach(async () => {
    await ground.close();
    await until('every connection ended with the hub', async () => (await connections()) === 0, 5_000);
    await servers.end();
  });

  /** One process of sshd for each connection. */
  async function connections(): Promise<number> {
    const titles = await Promise.all(
      (await server.sessions()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
    return titles.filter((title) => title.startsWith('sshd: ')).length;
  }

  it('has one connection, also when it was paused and went on while that was made', async () => {
    const link = ground.hub.engine.links.get('mac');
    assert.ok(link);
    assert.equal(link.connected, false);
    for (let times = 0; times < 5; times += 1) {
      link.setPaused(true);
      link.setPaused(false);
      link.tryAgain();
    }
    await ground.settle();
    await until('it is connected', () => link.connected);
    assert.equal(await readFile(join(ground.claudeDir('mac'), 'agents/a.md'), 'utf8'), 'one\n');
    await until('nothing else is being opened', async () => (await connections()) === 1, 5_000);
    assert.equal(server.log.split('Accepted publickey').length - 1, 1);
  });

  it('brings what there is to bring when it is paused while it connects, and goes on later', async () => {
    const link = ground.hub.engine.links.get('mac');
    assert.ok(link);
    link.setPaused(true);
    await until('the connection is there', () => link.connected);
    link.setPaused(false);
    await ground.settle();
    assert.equal(await readFile(join(ground.claudeDir('mac'), 'agents/a.md'), 'utf8'), 'one\n');
  });
});
