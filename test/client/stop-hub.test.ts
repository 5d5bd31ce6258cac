import assert from 'node:assert/strict';
import { connectToHub } from '../../src/client/connect.ts';
import { stopHub } from '../../src/client/stop-hub.ts';
import { privateFolder, startFakeHub } from '../hub/rpc/fake-hub.ts';

describe('stopping a hub', () => {
  it('says so when its process does not end', async () => {
    const folder = await privateFolder();
    // It answers with the pid of this process, which goes on.
    const { server, socketPath } = await startFakeHub(folder.path, {
      'hub/shutdown': async () => ({ pid: process.pid }),
    });
    const hub = await connectToHub(socketPath);
    await assert.rejects(stopHub(hub, 50), (error: { code: string; unchanged: string }) => {
      assert.equal(error.code, 'timed-out');
      assert.match(error.unchanged, /asked to stop/);
      return true;
    });
    hub.close();
    await server.close();
    await folder.remove();
  });
});
