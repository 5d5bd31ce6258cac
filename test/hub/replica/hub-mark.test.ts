import assert from 'node:assert/strict';
import { OtherHubPresent, type HubIdentity } from '../../../src/hub/replica/hub-mark.ts';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { Ground } from './ground.ts';

const MARK = '.claude-sync/hub.json';

function hub(id: string, isGone = false): HubIdentity {
  return { id, host: 'box', pid: 7, isGone: () => isGone };
}

describe('the mark of the hub that syncs a folder', () => {
  let ground: Ground;

  beforeEach(() => {
    ground = new Ground();
    ground.now = 1_700_000_000_000;
  });

  it('keeps another hub out before it touches anything, for as long as it is renewed', async () => {
    const first = await ground.connected({ hub: hub('one') });
    ground.write('.claude-sync/tmp/9-abcdef', 'a temp of the first hub');
    for (let minutes = 0; minutes < 5; minutes += 1) {
      await assert.rejects(ground.connected({ hub: hub('two') }), OtherHubPresent);
      ground.now = (ground.now ?? 0) + 60_000;
      await first.renewHubMark();
    }
    assert.ok(ground.exists('.claude-sync/tmp/9-abcdef'));
    assert.match(ground.text(MARK), /"one"/);
  });

  it('is no hindrance for its own hub, nor when its hub ended in order, died, or was silent for three minutes', async () => {
    const first = await ground.connected({ hub: hub('one') });
    await ground.connected({ hub: hub('one') });
    await first.withdrawHubMark();
    await ground.connected({ hub: hub('two') });
    await ground.connected({ hub: hub('three', true) });
    ground.now = (ground.now ?? 0) + 180_001;
    await ground.connected({ hub: hub('four') });
    assert.match(ground.text(MARK), /"four"/);
  });

  it('tells the one of two that began in the same moment, whatever the clocks say', async () => {
    const first = await ground.connected({ hub: hub('one') });
    ground.write(MARK, JSON.stringify({ id: 'two', host: 'else\u001bwhere', pid: 8, renewedAt: 5 }));
    await assert.rejects(first.renewHubMark(), /another hub on else\?where \(pid 8\)/);
    await assert.rejects(first.connect(), OtherHubPresent);
    ground.now = (ground.now ?? 0) + 180_001;
    await first.connect();
  });

  it('never removes the mark of another hub', async () => {
    const first = await ground.connected({ hub: hub('one') });
    ground.write(MARK, JSON.stringify({ id: 'two', host: 'box', pid: 8, renewedAt: 5 }));
    await first.withdrawHubMark();
    assert.match(ground.text(MARK), /"two"/);
  });

  it('what is no mark counts as none, and a full disk does not keep the machine from being read', async () => {
    ground.write(MARK, 'cut o');
    await ground.connected({ hub: hub('one') });
    ground.interference = (operation, path) => {
      if (operation === 'file.write') throw new FileSystemError('no-space', 'write', path);
    };
    const again = await ground.connected({ hub: hub('one') });
    await again.renewHubMark();
  });
});
