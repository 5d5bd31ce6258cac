import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { connectToRemoteHub } from '../../../src/client/remote/connect-remote-hub.ts';
import type * as Room from '../../../src/client/remote/index.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { sampleStatus } from '../../hub/rpc/fake-hub.ts';
import { RemoteGround } from './ground.ts';

describe('the remote room as a bundle of its own', () => {
  before(skipWhere(() => whyNoSshd()));
  let ground: RemoteGround;
  before(async () => {
    ground = await RemoteGround.make();
  });
  after(() => ground.end());

  it('opens a hub, and its failures are errors of whoever loaded it', async () => {
    const outfile = join(ground.ssh.root, 'remote-hub.cjs');
    await build({
      entryPoints: [join(import.meta.dirname, '../../../src/client/remote/index.ts')],
      outfile,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      mainFields: ['module', 'main'],
      external: ['cpu-features', '*.node'],
      logLevel: 'silent',
    });
    const room = createRequire(import.meta.url)(outfile) as typeof Room;
    assert.deepEqual(Object.keys(room).sort(), ['openRemoteHub', 'startRemoteHub']);
    await assert.rejects(connectToRemoteHub(room, ground.options()), (error) => HubError.is(error, 'not-running'));
    await ground.hub();
    const client = await connectToRemoteHub(room, ground.options());
    assert.deepEqual(await client.request('hub/status', {}), sampleStatus());
    client.close();
  });
});
