import assert from 'node:assert/strict';
import { startRemoteHub } from '../../../src/client/remote/index.ts';
import { valueOf } from '../../../src/client/remote/connect-remote-hub.ts';
import { HubError } from '../../../src/protocol/errors.ts';
import { skipWhere, whyNoSshd } from '../../fixtures/ssh/availability.ts';
import { RemoteGround } from './ground.ts';

describe('starting a hub on another machine', () => {
  before(skipWhere(() => whyNoSshd()));
  let ground: RemoteGround | null = null;
  beforeEach(async () => {
    ground = await RemoteGround.make();
  });
  afterEach(async () => {
    await ground?.end();
    ground = null;
  });
  const there = (): RemoteGround => ground ?? assert.fail('no ground');

  it('starts the real one, which outlives the connection and is found then', async () => {
    await there().program();
    const { output } = valueOf(await startRemoteHub(there().options({ dataDir: '~/data of hers' })));
    const [, pid] = /^the hub is up \(pid (\d+)\)$/.exec(output) ?? assert.fail(output);
    await there().willEnd(Number(pid));
    const client = await there().connect({ dataDir: '~/data of hers' });
    assert.equal(client.hello.pid, Number(pid));
    const again = valueOf(await startRemoteHub(there().options({ dataDir: '~/data of hers' })));
    assert.match(again.output, /already running/);
    // As stopHub knows: a hub that is quick to stop may be gone before its answer is taken in. Its end is what counts.
    await client.request('hub/shutdown', {}).catch((error: unknown) => {
      if (!HubError.is(error, 'disconnected')) throw error;
    });
  });

  it('says so where there is no claude-sync', async () => {
    const outcome = await startRemoteHub(there().options());
    assert.equal(outcome.ok ? null : outcome.failure.code, 'not-found');
  });

  it('fails with the words of the program, without what could move a cursor', async () => {
    await there().install(`printf 'error: config.jsonc:3:5: \\033[31munknown key\\n' >&2; exit 2`);
    const outcome = await startRemoteHub(there().options());
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'config');
    assert.match(outcome.failure.message, /: config\.jsonc:3:5: unknown key$/);
  });

  it('can be given up, and the words of an account without commands are told', async () => {
    const signal = AbortSignal.abort();
    const outcome = await startRemoteHub(there().options({ signal }));
    assert.equal(outcome.ok ? null : outcome.failure.code, 'cancelled');
    await there().end();
    ground = await RemoteGround.make({ kind: 'sftp-only' });
    const refused = await startRemoteHub(ground.options());
    assert.equal(refused.ok ? null : refused.failure.code, 'unreachable');
  });
});
