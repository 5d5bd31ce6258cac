import assert from 'node:assert/strict';
import { statusOf } from '../../../src/hub/reports.ts';
import { HubGround } from '../hub-ground.ts';

describe('whether the machines are in sync', () => {
  let ground: HubGround;

  beforeEach(async () => {
    ground = await HubGround.open();
    await ground.write('rog', 'agents/a.md', 'a\n');
    await ground.settle();
  });
  afterEach(() => ground.close());

  const inSync = (): boolean => {
    const process = { pid: 1, startedAt: 0, version: '' };
    const figures = { traffic: () => ({}), storage: () => ({}), active: () => [] } as never;
    return statusOf(ground.hub, process, ground.clock.now(), { at: () => 0 } as never, figures).inSync;
  };

  it('does not depend on whether one is being looked at again; whoever waits waits for that as well', async () => {
    const { engine } = ground.hub;
    assert.deepEqual([inSync(), engine.settled()], [true, true]);
    const looking = engine.scanAll();
    assert.deepEqual([inSync(), engine.settled()], [true, false]);
    await looking;
    assert.deepEqual([inSync(), engine.settled()], [true, true]);
  });

  it('is not so after a pause until everything has been looked at again', async () => {
    const link = ground.hub.engine.links.get('rog')!;
    link.setPaused(true);
    await ground.write('rog', 'agents/b.md', 'b\n');
    link.setPaused(false);
    assert.deepEqual([link.writable, inSync()], [true, false]);
    await ground.settle();
    assert.equal(await ground.text('mac', 'agents/b.md'), 'b\n');
    assert.equal(inSync(), true);
  });

  it('is not so while what was found is on its way', async () => {
    await ground.write('rog', 'agents/b.md', 'b\n');
    const looking = ground.hub.engine.scanAll();
    let [wasOff, isOver] = [false, false];
    // In every turn of the event loop; a copy takes several.
    const look = (): void => {
      wasOff ||= !inSync();
      if (!isOver) setImmediate(look);
    };
    look();
    await looking;
    await ground.settle();
    isOver = true;
    assert.ok(wasOff);
    assert.equal(inSync(), true);
  });
});
