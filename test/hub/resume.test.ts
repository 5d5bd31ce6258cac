import assert from 'node:assert/strict';
import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { resume } from '../../src/hub/resume.ts';
import { HubGround, until } from './hub-ground.ts';

describe('two machines of the configuration that are one and the same folder', () => {
  let ground: HubGround;
  beforeEach(async () => (ground = await HubGround.open()));
  afterEach(() => ground.close());

  it('are told from a copy, and the mark stays as it is', async () => {
    await ground.settle();
    await ground.hub.close();
    await rm(ground.claudeDir('mac'), { recursive: true });
    await symlink(ground.claudeDir('rog'), ground.claudeDir('mac'));
    const mark = (): Promise<string> => readFile(join(ground.claudeDir('rog'), '.claude-sync/replica-id'), 'utf8');
    const before = await mark();
    await ground.boot();
    const mac = ground.hub.engine.links.get('mac');
    assert.ok(mac);
    await until('the second one is stopped', () => mac.quarantine !== null);
    await assert.rejects(resume(ground.hub, mac, 'new-id', false), /one and the same folder/);
    assert.equal(await mark(), before);
    assert.notEqual(mac.quarantine, null);
  });
});

describe('machines resume', () => {
  let ground: HubGround;
  beforeEach(async () => (ground = await HubGround.open()));
  afterEach(() => ground.close());

  it('is not needed for a machine that only has another name now: it goes on in its folder', async () => {
    await ground.write('rog', 'agents/a.md', 'one\n');
    await ground.settle();
    await ground.hub.close();
    ground.folders.set('laptop', 'mac');
    await ground.boot({}, ['rog', 'laptop']);
    await ground.settle();
    assert.equal(ground.hub.engine.links.get('laptop')?.status.status, 'online');
    await ground.write('rog', 'agents/b.md', 'two\n');
    await ground.settle();
    assert.equal(await ground.text('laptop', 'agents/b.md'), 'two\n');
  });

  it('refuses a machine that is not stopped, and changes nothing', async () => {
    await ground.settle();
    const mac = ground.hub.engine.links.get('mac');
    assert.ok(mac);
    await assert.rejects(resume(ground.hub, mac, 'refill', false), { code: 'refused', message: /mac is not stopped/ });
  });

  it('does not claim to have resumed a machine that is stopped again at once', async () => {
    await ground.settle();
    await ground.hub.close();
    await rm(ground.claudeDir('mac'), { recursive: true });
    await ground.boot();
    const mac = ground.hub.engine.links.get('mac');
    assert.ok(mac);
    await until('it is stopped', () => mac.quarantine !== null);
    await assert.rejects(resume(ground.hub, mac, 'refill', false), {
      code: 'refused',
      message: /mac was let go on, but is/,
    });
  });
});
