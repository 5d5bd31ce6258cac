import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Finding } from '../../src/protocol/doctor.ts';
import { Ground, until } from './ground.ts';

describe('versions that are old', function () {
  this.timeout(120_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.open({ machines: ['rog', 'mac'], config: { versions: { keepDays: 30 } } });
  });

  afterEach(() => ground.close());

  it('go when the hub has been started, and what is current or young stays', async () => {
    await ground.startHub();
    for (const text of ['first\n', 'second\n', 'third\n']) {
      await ground.home('rog').write('agents/a.md', text);
      await ground.settle();
    }
    assert.equal((await ground.versions('agents/a.md')).length, 2);
    await ground.endHub();
    // The first version is from before the user's last holiday.
    const db = new Database(join(ground.dataDir, 'sync.db'));
    db.prepare('UPDATE versions SET at = at - ? WHERE version = 1').run(31 * 86_400_000);
    db.close();

    await ground.startHub();
    await until('one version is left', async () => (await ground.versions('agents/a.md')).length === 1, 30_000);
    const [left] = await ground.versions('agents/a.md');
    assert.equal(left?.version, 2);
    const kept = async (): Promise<string[]> =>
      (await readdir(join(ground.dataDir, 'versions'), { recursive: true })).filter((name) => name.endsWith('.zst'));
    await until('only its content is left', async () => (await kept()).length === 1);
    assert.ok((await kept())[0]?.includes(left.sha256));
    const { findings } = await ground.json<{ findings: Finding[] }>('doctor');
    await until('doctor tells it', async () =>
      (await ground.json<{ findings: Finding[] }>('doctor')).findings.some(
        ({ check, message }) => check === 'versions' && message.includes('removed 1'),
      ),
    );
    assert.ok(findings.some(({ check, severity }) => check === 'versions' && severity === 'ok'));
    await ground.json('restore', 'agents/a.md', '--version', '2');
    await ground.settle();
    assert.equal(await ground.home('mac').text('agents/a.md'), 'second\n');
  });
});
