import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connectToHub, HubNotRunning } from '../../src/client/connect.ts';
import { HubError } from '../../src/protocol/errors.ts';
import { privateFolder, sampleStatus, startFakeHub, until } from '../hub/rpc/fake-hub.ts';

describe('a client of the hub', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;

  beforeEach(async () => {
    folder = await privateFolder();
  });

  afterEach(() => folder.remove());

  it('says that no hub runs, and how to start one', async () => {
    await assert.rejects(connectToHub(join(folder.path, 'none.sock')), (error) => {
      assert.ok(error instanceof HubNotRunning);
      assert.equal(error.code, 'not-running');
      assert.match(error.next ?? '', /claude-sync up/);
      return true;
    });
  });

  it('does not wait for ever on a hub that is stopped', async () => {
    const mute = createServer(() => undefined).listen(join(folder.path, 'mute.sock'));
    await once(mute, 'listening');
    await assert.rejects(connectToHub(join(folder.path, 'mute.sock'), { timeoutMs: 50 }), { code: 'timed-out' });
    mute.close();
  });

  it('gets the error that the hub meant: code, message, what is unchanged, what to do', async () => {
    const meant = new HubError('refused', 'rog is quarantined', {
      unchanged: 'Nothing was written.',
      next: 'Resume it.',
    });
    const hub = await startFakeHub(folder.path, { 'machines/pause': () => Promise.reject(meant) });
    const client = await connectToHub(hub.socketPath);
    await assert.rejects(client.request('machines/pause', { machine: 'rog' }), (error) => {
      assert.ok(HubError.is(error, 'refused'));
      assert.deepEqual(error.toData(), meant.toData());
      return true;
    });
    client.close();
    await hub.server.close();
  });

  it('learns of a hub that dies before it answers', async () => {
    const hub = await startFakeHub(folder.path, { 'hub/wait': () => new Promise<never>(() => undefined) });
    const client = await connectToHub(hub.socketPath);
    let closed = false;
    client.onClose(() => (closed = true));
    const wait = client.request('hub/wait', { timeoutMs: null });
    const rejected = assert.rejects(wait, { code: 'disconnected' });
    await hub.server.close();
    await rejected;
    await until('closed', () => closed);
    await assert.rejects(client.request('hub/status', {}), { code: 'disconnected' });
  });

  it('cancels at the hub what it gives up itself', async () => {
    let aborted = false;
    let begun = false;
    const hub = await startFakeHub(folder.path, {
      'hub/wait': (_params, { signal }) => {
        begun = true;
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new HubError('cancelled', 'cancelled'));
          });
        });
      },
    });
    const client = await connectToHub(hub.socketPath);
    const giveUp = new AbortController();
    const wait = client.request('hub/wait', { timeoutMs: null }, { signal: giveUp.signal });
    const rejected = assert.rejects(wait, { code: 'cancelled' });
    await until('the wait began', () => begun);
    giveUp.abort();
    await rejected;
    await until('the hub knows', () => aborted);
    assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
    client.close();
    await hub.server.close();
  });

  it('can have two listeners for one notification, and two clients each get it', async () => {
    const hub = await startFakeHub(folder.path);
    const [one, two] = await Promise.all([connectToHub(hub.socketPath), connectToHub(hub.socketPath)]);
    const got: string[] = [];
    one.onNotification('hub/stopping', () => got.push('one'));
    const stop = one.onNotification('hub/stopping', () => got.push('one again'));
    two.onNotification('hub/stopping', () => got.push('two'));
    await until('both listen', () => hub.announcer.listeners === 2);
    hub.announcer.tell({ method: 'hub/stopping', params: { reason: 'a' } });
    await until('all heard', () => got.length === 3);
    assert.deepEqual([...got].sort(), ['one', 'one again', 'two']);
    stop();
    hub.announcer.tell({ method: 'hub/stopping', params: { reason: 'b' } });
    await until('the rest heard', () => got.length === 5);
    one.close();
    two.close();
    await hub.server.close();
  });

  it('gives up on a hub that falls silent, and on nobody else', async () => {
    const silent = (): Promise<never> => new Promise(() => undefined);
    let answer = (): void => undefined;
    const hub = await startFakeHub(folder.path, {
      'hub/status': silent,
      'doctor/run': () => new Promise((resolve) => (answer = () => resolve({ findings: [] }))),
    });
    const client = await connectToHub(hub.socketPath, { silenceMs: 20 });
    const long = client.request('doctor/run', {});
    await assert.rejects(client.request('hub/status', {}), { code: 'timed-out' });
    await assert.rejects(client.request('hub/status', {}), { code: 'timed-out' });
    answer();
    assert.deepEqual(await long, { findings: [] }, 'what takes long is waited for while the hub answers other things');
    client.close();
    await hub.server.close();
  });
});
