import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { Ground, until } from './ground.ts';
import type { Home } from './home.ts';

const MARK = '.claude-sync/replica-id';

describe('a Claude folder that was copied to another machine, with its mark', function () {
  this.timeout(120_000);
  let ground: Ground;
  let rog: Home;
  let mac: Home;

  beforeEach(async () => {
    ground = await Ground.open({ machines: ['rog', 'mac'] });
    [rog, mac] = ['rog', 'mac'].map((name) => ground.home(name)) as [Home, Home];
  });

  afterEach(() => ground.close());

  it('stops the copy, says what happened, and goes on with a mark of its own: nothing is deleted', async () => {
    for (let n = 0; n < 5; n += 1) await rog.write(`agents/a${n}.md`, `agent ${n}\n`);
    await ground.startHub();
    await ground.settle();
    await ground.endHub();
    await mac.remove('.');
    await cp(rog.claudeDir, mac.claudeDir, { recursive: true, preserveTimestamps: true });
    await mac.remove('agents/a0.md');
    await mac.write('agents/only-here.md', 'new on the copy\n');
    const mark = await rog.text(MARK);

    await ground.startHub();
    await until('the copy is stopped', async () => (await ground.report('mac')).status === 'quarantined');
    assert.equal((await ground.report('rog')).status, 'online');
    const told = await ground.run('machines', 'resume', 'mac');
    assert.equal(told.code, 2);
    assert.match(told.stdout, /--new-id would do this/);
    assert.match(told.stderr, /copy of that of rog; add --new-id/);
    const refill = await ground.run('machines', 'resume', 'mac', '--refill');
    assert.equal(refill.code, 1);
    assert.match(refill.stderr, /--new-id/);
    assert.equal(await mac.text(MARK), mark, 'nothing was changed so far');
    const original = await ground.run('machines', 'resume', 'rog', '--new-id');
    assert.equal(original.code, 1, 'the original keeps its mark');

    await ground.json('machines', 'resume', 'mac', '--new-id');
    await ground.settle();
    assert.equal(await rog.text(MARK), mark);
    assert.notEqual(await mac.text(MARK), mark);
    const paths = [
      'agents/a0.md',
      'agents/a1.md',
      'agents/a2.md',
      'agents/a3.md',
      'agents/a4.md',
      'agents/only-here.md',
    ];
    for (const home of [rog, mac]) assert.deepEqual(await home.files(), paths);

    await ground.restartHub();
    await ground.settle();
    await mac.write('agents/a1.md', 'changed on mac\n');
    await ground.settle();
    assert.equal(await rog.text('agents/a1.md'), 'changed on mac\n');
    assert.equal((await ground.report('mac')).status, 'online');
  });
});
