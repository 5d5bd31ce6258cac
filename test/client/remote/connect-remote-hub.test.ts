import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { HubError, type HubErrorCode } from '../../../src/protocol/errors.ts';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import type { SshdOptions } from '../../fixtures/ssh/sshd.ts';
import { sampleStatus, until } from '../../hub/rpc/fake-hub.ts';
import { hostBlock, signInsAt } from '../../hub/ssh/ground.ts';
import { RemoteGround } from './ground.ts';

describe('a hub on another machine', () => {
  before(skipWhere(() => whyNoSshd()));
  let ground: RemoteGround;
  let isMade = false;
  const make = async (options: Partial<SshdOptions> = {}): Promise<RemoteGround> => {
    ground = await RemoteGround.make(options);
    isMade = true;
    return ground;
  };
  afterEach(async () => {
    if (isMade) await ground.end();
    isMade = false;
  });

  async function failure(attempt: Promise<unknown>, code: HubErrorCode): Promise<HubError> {
    const error = await attempt.then(
      () => assert.fail(`should have failed: ${code}`),
      (reason: unknown) => reason,
    );
    assert.ok(HubError.is(error, code), `${String(error)} is not ${code}`);
    return error;
  }

  it('answers, and its events come through', async () => {
    await make();
    const hub = await ground.hub();
    const client = await ground.connect();
    assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
    assert.match(client.elsewhere ?? '', /^root@127\.0\.0\.1:\d+$/);
    const heard: string[] = [];
    client.onNotification('hub/stopping', ({ reason }) => heard.push(reason));
    await until('it listens', () => hub.announcer.listeners === 1);
    hub.announcer.tell({ method: 'hub/stopping', params: { reason: 'a' } });
    await until('it is heard', () => heard.length === 1);
    assert.deepEqual(ground.asked, [], 'the host key is known');
  });

  it('passes large answers whole', async () => {
    await make();
    const next = 'ä'.repeat(3_000_000);
    await ground.hub(ground.usualDataDir, {
      'doctor/run': () => Promise.reject(new HubError('refused', 'large', { next })),
    });
    const client = await ground.connect();
    assert.equal((await failure(client.request('doctor/run', {}), 'refused')).next, next);
  });

  it('is left with its connection when the client is closed', async () => {
    await make();
    await ground.hub();
    const client = await ground.connect();
    let closed = 0;
    client.onClose(() => (closed += 1));
    client.close();
    await until('closed', () => closed === 1);
    await until('the session has ended', async () => (await ground.server.sessions()).length === 0);
  });

  it('closes the client when it ends', async () => {
    await make();
    const hub = await ground.hub(ground.usualDataDir, { 'hub/wait': () => new Promise<never>(() => undefined) });
    const client = await ground.connect();
    let closed = 0;
    client.onClose(() => (closed += 1));
    const waiting = failure(client.request('hub/wait', { timeoutMs: null }), 'disconnected');
    await hub.server.close();
    await until('closed', () => closed === 1);
    await waiting;
    await until('the session has ended', async () => (await ground.server.sessions()).length === 0);
  });

  it('closes the client when the SSH connection is cut', async () => {
    await make();
    await ground.hub();
    const client = await ground.connect();
    let closed = 0;
    client.onClose(() => (closed += 1));
    await ground.server.stop();
    await until('closed', () => closed === 1);
    await failure(client.request('hub/status', {}), 'disconnected');
  });

  describe('is found', () => {
    it('in a data folder that is named, from the home folder there, and no other is looked at', async () => {
      await make();
      await ground.hub(join(ground.home, 'of her own/the data'));
      await ground.connect({ dataDir: '~/of her own/the data' });
      await ground.connect({ dataDir: 'of her own/the data' });
      await ground.connect({ dataDir: join(ground.home, 'of her own/the data') });
      await ground.hub();
      const none = await failure(ground.connect({ dataDir: '~/other' }), 'not-running');
      assert.match(none.message, /\/home\/other\)$/);
    });

    it('where the variables of its login shell say, before the usual folder', async () => {
      await make();
      await ground.hub(ground.usualDataDir, { 'hub/status': () => Promise.reject(new HubError('refused', 'usual')) });
      await ground.hub(join(ground.home, 'state of hers/claude-sync'));
      await ground.profile('echo welcome', `export XDG_STATE_HOME="$HOME/state of hers"`);
      const client = await ground.connect();
      assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
      await ground.hub(join(ground.home, "it's"), {
        'hub/status': () => Promise.reject(new HubError('refused', 'its own')),
      });
      await ground.profile(`export CLAUDE_SYNC_DATA_DIR="$HOME/it's"`);
      await failure((await ground.connect()).request('hub/status', {}), 'refused');
    });

    it('in the usual folder when the one of the variables is that of a dead hub', async () => {
      await make();
      await ground.hub();
      await ground.killedHub(join(ground.home, 'd'));
      await ground.profile(`export CLAUDE_SYNC_DATA_DIR="$HOME/d"`);
      await ground.connect();
    });

    it('where the account runs no commands', async () => {
      await make({ kind: 'sftp-only' });
      await ground.hub();
      await ground.connect();
    });

    it('where the server allows one session only', async () => {
      await make({ config: ['MaxSessions 1'] });
      await ground.hub();
      await ground.connect();
    });
  });

  describe('cannot be reached', () => {
    it('when there is none: it says where it looked, and how to start it', async () => {
      await make();
      const none = await failure(ground.connect(), 'not-running');
      assert.ok(none.message.includes(ground.usualDataDir) && none.message.includes('/var/lib/claude-sync'));
      assert.match(none.next ?? '', /claude-sync up/);
      await until('the session has ended', async () => (await ground.server.sessions()).length === 0);
    });

    it('when hub.json and socket outlived it', async () => {
      await make();
      await ground.killedHub();
      const stale = await failure(ground.connect(), 'not-running');
      assert.match(stale.message, /h\.sock, and nobody answers there/);
      assert.match(stale.next ?? '', /has ended/);
    });

    it('when hub.json outlived it and the account runs no commands', async () => {
      await make({ kind: 'sftp-only' });
      await ground.killedHub();
      await failure(ground.connect(), 'not-running');
    });

    for (const line of ['AllowStreamLocalForwarding no', 'DisableForwarding yes'])
      it(`where sshd forbids it (${line}): it says what to allow`, async () => {
        await make({ config: [line] });
        await ground.hub();
        const refused = await failure(ground.connect(), 'refused');
        assert.match(refused.next ?? '', /AllowStreamLocalForwarding yes/);
        await ground.killedHub(join(ground.home, 'dead'));
        await failure(ground.connect({ dataDir: '~/dead' }), 'not-running');
      });

    it('where its hub.json makes no sense', async () => {
      await make();
      await ground.hub();
      const file = join(ground.usualDataDir, 'hub.json');
      for (const text of ['', '{', '{"socket": 1}', '\0'.repeat(100_000)]) {
        await writeFile(file, text);
        await failure(ground.connect(), 'not-running');
      }
      await writeFile(
        file,
        JSON.stringify({ pid: 1, socket: 'x\n', version: '', startedAt: 1, dataDir: '', config: null }),
      );
      await failure(ground.connect(), 'refused');
    });

    it('where no SSH server answers, or the name makes no sense', async () => {
      await make();
      await ground.server.end();
      const nobody = await failure(ground.connect(), 'unreachable');
      assert.match(nobody.message, /nothing listens there/);
      await failure(ground.connect({ host: '-oProxyCommand=x' }), 'invalid-params');
      await failure(ground.connect({ dataDir: 'a\nb' }), 'invalid-params');
    });
  });

  describe('with a host key that', () => {
    beforeEach(() => make());

    it('is not known is asked about; refused, nothing is sent and nothing is written', async () => {
      await ground.hub();
      await writeFile(ground.server.knownHostsFile, '');
      const refused = await failure(ground.connect(), 'refused');
      const [question] = ground.asked;
      assert.equal(ground.asked.length, 1);
      assert.equal(question?.file, ground.server.knownHostsFile);
      assert.match(question?.fingerprint ?? '', /^SHA256:/);
      assert.ok(refused.message.includes(question?.fingerprint ?? '?'));
      assert.equal(signInsAt(ground.server), 0);
      assert.equal(await readFile(ground.server.knownHostsFile, 'utf8'), '');
    });

    it('is accepted is written, and not asked about again', async () => {
      await ground.hub();
      const known = await readFile(ground.server.knownHostsFile, 'utf8');
      await writeFile(ground.server.knownHostsFile, '');
      await ground.connect({}, true);
      assert.equal((await readFile(ground.server.knownHostsFile, 'utf8')).trim(), known.trim());
      await ground.connect();
      assert.equal(ground.asked.length, 1);
    });

    it('has changed is refused without a question', async () => {
      await ground.hub();
      const other = await readFile(`${await ground.ssh.key('other')}.pub`, 'utf8');
      const line = `[${ground.server.address}]:${ground.server.port} ${other.split(' ').slice(0, 2).join(' ')}\n`;
      await writeFile(ground.server.knownHostsFile, line);
      const changed = await failure(ground.connect({}, true), 'refused');
      assert.match(changed.message, /not the one that is known/);
      assert.deepEqual(ground.asked, []);
      assert.equal(await readFile(ground.server.knownHostsFile, 'utf8'), line);
    });

    it('nobody decides about can be given up', async () => {
      await writeFile(ground.server.knownHostsFile, '');
      const abort = new AbortController();
      let isAsked = false;
      const acceptHostKey = (): Promise<boolean> => {
        isAsked = true;
        return new Promise(() => undefined);
      };
      const failing = failure(ground.connect({ acceptHostKey, signal: abort.signal }), 'cancelled');
      await until('it is asked', () => isAsked);
      abort.abort();
      await failing;
      assert.equal(await readFile(ground.server.knownHostsFile, 'utf8'), '');
    });
  });

  it('is reached through a jump host, and both connections end with the client', async () => {
    await make();
    await ground.hub();
    const gate = await ground.ssh.serve('gate');
    const sshConfigFile = await ground.ssh.file(
      'jumping',
      ...hostBlock('there', ground.server, 'ProxyJump gate'),
      ...hostBlock('gate', gate),
    );
    const client = await ground.connect({ sshConfigFile });
    assert.ok((await gate.sessions()).length > 0);
    client.close();
    await until('nothing is left there', async () => (await ground.server.sessions()).length === 0);
    await until('nothing is left on the way', async () => (await gate.sessions()).length === 0);
  });

  it('is given up at once while it is connected to, and when it was given up before', async () => {
    await make();
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    try {
      const abort = new AbortController();
      const host = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
      const failing = failure(ground.connect({ host, signal: abort.signal }), 'cancelled');
      await until('somebody speaks', () => (sockets[0]?.bytesRead ?? 0) > 0);
      abort.abort();
      await failing;
      await until('the socket is gone', () => sockets[0]?.destroyed === true);
      await failure(ground.connect({ signal: abort.signal }), 'cancelled');
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });

  it('is given up while it is looked for', async () => {
    await make();
    await ground.hub();
    await ground.profile(`touch "$HOME/asked"; exec sleep 1000`);
    const abort = new AbortController();
    const failing = failure(ground.connect({ signal: abort.signal }), 'cancelled');
    await until('the shell is asked', () =>
      readFile(join(ground.home, 'asked')).then(
        () => true,
        () => false,
      ),
    );
    abort.abort();
    await failing;
  });
});
