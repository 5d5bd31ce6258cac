import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { parseConfig } from '../../../src/hub/config/parse.ts';
import type { SshMachineConfig } from '../../../src/hub/config/schema.ts';
import { systemClock, systemRandom } from '../../../src/hub/ports/system.ts';
import { RsyncLink } from '../../../src/hub/ssh/bulk/rsync-link.ts';
import { rsyncVersion } from '../../../src/hub/ssh/rsync.ts';
import { closeSession, openSession, type SshSession } from '../../../src/hub/ssh/session.ts';
import { signal, type Sshd } from '../../fixtures/ssh/sshd.ts';
import { until } from '../hub-ground.ts';
import { SshGround } from './ground.ts';

describe('a session with a machine', () => {
  let ground: SshGround;
  beforeEach(async () => {
    ground = await SshGround.make();
  });
  afterEach(() => ground.end());

  function open(
    server: Sshd,
    more: Partial<Sshd['entry']> & { readonly watch?: 'auto' | 'poll' } = {},
    abort = new AbortController().signal,
    onLost: (reason: Error) => void = () => undefined,
  ): Promise<SshSession> {
    const text = JSON.stringify({ machines: { there: { ...server.entry, ...more } } });
    const config = parseConfig(text, 'test', ground.root).machines['there'] as SshMachineConfig;
    return openSession({
      config,
      home: ground.root,
      clock: systemClock,
      random: systemRandom,
      onLost,
      signal: abort,
    });
  }

  function linkOf(session: SshSession, onTrouble: (reason: string) => void): RsyncLink {
    return new RsyncLink({
      clock: systemClock,
      session: () => session,
      mode: 'auto',
      localVersion: () => rsyncVersion(),
      explicit: { identityFile: true, knownHostsFile: true },
      bytesPerSecond: 100_000,
      onProgress: () => undefined,
      onTrouble,
    });
  }

  it('is one of files alone where the server refuses to run commands', async () => {
    // SFTP takes the one channel that there is.
    const server = await ground.serve('nas', { config: ['MaxSessions 1'] });
    const session = await open(server);
    try {
      assert.equal(session.probe, null);
      assert.equal(session.facts.home, join(ground.root, 'nas', 'home'));
    } finally {
      closeSession(session);
    }
  });

  it('takes an rsync that is under way along when it ends', async () => {
    const server = await ground.serve('rog');
    const from = join(ground.root, 'from');
    const to = join(ground.root, 'rog/home/to');
    mkdirSync(from);
    mkdirSync(to);
    writeFileSync(join(from, 'large'), Buffer.alloc(4_000_000, 7));
    const session = await open(server);
    const before = (await server.sessions()).length;
    const transfer = linkOf(session, assert.fail).transfer('push', from, to, ['large']);
    await until('rsync is at work', async () => (await server.sessions()).length > before);
    closeSession(session);
    assert.equal(await transfer, false);
    await until('nothing is left of it', async () => (await server.sessions()).length === 0, 8_000);
  });

  // What is polled is compressed, and ssh2 closes its deflater with the connection, before it tells of the end.
  for (const watch of ['auto', 'poll'] as const)
    it(`can be closed, and used, when its connection is gone (watch: ${watch})`, async () => {
      const server = await ground.serve('rog');
      const closed: (unknown[] | Error)[] = [];
      const session = await open(server, { watch }, undefined, () => {
        try {
          command.write('more');
          command.abandon();
          closeSession(session);
          closed.push([]);
        } catch (error) {
          closed.push(error as Error);
        }
      });
      const command = await session.commands.start('exec cat', { stdout: () => undefined, stderr: () => undefined });
      for (const pid of await server.sessions()) signal(pid, 'SIGKILL');
      await until('its end is told', () => closed.length > 0);
      assert.deepEqual(closed[0], []);
      const late = session.channel.request<unknown>('list', '.', (sftp, done) => sftp.stat('.', done));
      await assert.rejects(late, { code: 'disconnected' });
    });

  it('is given up at once when nobody wants it any more', async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket.on('error', () => undefined).resume()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const server = await ground.serve('rog');
    const abort = new AbortController();
    const opening = open(server, { port: (silent.address() as AddressInfo).port }, abort.signal);
    await until('it is being connected to', () => sockets.length === 1);
    abort.abort(new Error('not wanted'));
    await assert.rejects(opening, /not wanted/);
    await until('the socket is closed', () => sockets[0]?.destroyed === true, 2_000);
    silent.close();
  });

  it('goes on over SFTP where rsync cannot be handed a setting, and says so once', async () => {
    const server = await ground.serve('rog');
    const identityFile = join(ground.root, 'my "good" key');
    copyFileSync(server.identityFile, identityFile);
    const session = await open(server, { identityFile });
    try {
      const troubles: string[] = [];
      const link = linkOf(session, (reason) => troubles.push(reason));
      assert.equal(await link.isThere(), true);
      assert.equal(await link.transfer('pull', ground.root, '/', ['a']), false);
      assert.equal(await link.isThere(), false);
      assert.match(troubles.join(), /cannot be handed to rsync.*files go over SFTP$/);
    } finally {
      closeSession(session);
    }
  });
});
