import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { talkToHub } from '../../../src/client/connect.ts';
import { privateFolder, sampleStatus, startFakeHub, until } from '../../hub/rpc/fake-hub.ts';

describe('a client over any stream', () => {
  let folder: Awaited<ReturnType<typeof privateFolder>>;
  let hub: Awaited<ReturnType<typeof startFakeHub>>;
  before(async () => {
    folder = await privateFolder();
    hub = await startFakeHub(folder.path);
  });
  after(async () => {
    await hub.server.close();
    await folder.remove();
  });

  /** A stream that stays half open by itself, with a socket behind it. */
  function streamToHub(): { readonly near: Duplex; readonly socket: Duplex } {
    const [near, far] = duplexPair();
    const socket = connect(hub.socketPath);
    socket.pipe(far).pipe(socket);
    return { near, socket };
  }

  it('speaks as over a socket, and is of this computer unless told otherwise', async () => {
    const client = await talkToHub(streamToHub().near, { place: 'there' });
    assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
    assert.equal(client.elsewhere, undefined);
    client.close();
    const other = await talkToHub(streamToHub().near, { place: 'there', elsewhere: 'me@there:22' });
    assert.equal(other.elsewhere, 'me@there:22');
    other.close();
  });

  it('is closed by the end of the stream, although half of it is open, and closes it', async () => {
    const { near, socket } = streamToHub();
    const client = await talkToHub(near, { place: 'there' });
    let closed = 0;
    client.onClose(() => (closed += 1));
    socket.destroy();
    socket.unpipe();
    near.push(null);
    await until('closed', () => closed === 1);
    const again = streamToHub();
    (await talkToHub(again.near, { place: 'there' })).close();
    assert.ok(again.near.destroyed);
  });

  it('is not made where nobody answers, where the stream is over, and when it is given up', async () => {
    const [near] = duplexPair();
    await assert.rejects(talkToHub(near, { place: 'there', timeoutMs: 20 }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'timed-out');
      assert.match(error.message, /the hub at there did not answer/);
      return true;
    });
    assert.ok(near.destroyed);
    await assert.rejects(talkToHub(near, { place: 'there' }), { code: 'disconnected' });
    const [mute] = duplexPair();
    await assert.rejects(talkToHub(mute, { place: 'there', signal: AbortSignal.abort() }), { code: 'cancelled' });
    assert.ok(mute.destroyed);
  });
});
