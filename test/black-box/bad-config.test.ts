import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ground, until } from './ground.ts';

describe('a configuration with a mistake', function () {
  this.timeout(60_000);
  let ground: Ground;

  beforeEach(async () => {
    ground = await Ground.open();
  });

  afterEach(() => ground.close());

  const MISTAKES: readonly (readonly [what: string, text: string, where: string, told: RegExp])[] = [
    ['an unknown key', '{\n  "machines": { "a": { "transport": "local" } },\n  "snyc": {}\n}', '3:3', /snyc/],
    [
      'a wrong type',
      '{\n  "machines": {\n    "a": { "transport": "local", "paused": "yes" }\n  }\n}',
      '3:44',
      /paused/,
    ],
    ['broken syntax', '{\n  "machines": {\n    "a" { }\n  }\n}', '3:9', /./],
    [
      'two machines with one folder',
      '{\n  "machines": {\n    "a": { "transport": "local", "claudeDir": "/tmp/x" },\n    "b": { "transport": "local", "claudeDir": "/tmp/x" }\n  }\n}',
      '4:',
      /\/tmp\/x|same/,
    ],
  ];

  for (const [what, text, where, told] of MISTAKES) {
    it(`${what}: the hub does not start, and the exit code 2 comes with line and column`, async () => {
      await writeFile(ground.configFile, text);
      const { code, stderr } = await ground.run('hub');
      assert.equal(code, 2, stderr);
      assert.ok(stderr.includes(`${ground.configFile}:${where}`), stderr);
      assert.match(stderr, told);
    });
  }

  it('a running hub keeps the last good one, says so, and takes the next good one', async () => {
    await ground.startHub();
    await ground.settle();
    const good = await readFile(ground.configFile, 'utf8');
    await writeFile(ground.configFile, good.replace('"machines"', '"machine"'));
    const log = join(ground.dataDir, 'logs', 'hub.log');
    await until('the hub noticed', async () => (await readFile(log, 'utf8')).includes('last good one stays in force'));
    await ground.home('rog').write('CLAUDE.md', 'still synced\n');
    await ground.settle();
    assert.equal(await ground.home('mac').text('CLAUDE.md'), 'still synced\n');

    const alert = (await ground.status()).alerts.find(({ id }) => id === 'configuration');
    assert.ok(alert, 'status tells it');
    assert.ok(alert.message.includes(`${ground.configFile}:2:3: `), alert.message);
    assert.match(alert.message, /machine/);
    const doctor = await ground.run('doctor');
    assert.equal(doctor.code, 1, doctor.stdout);
    assert.ok(doctor.stdout.includes(`${ground.configFile}:2:3: `), doctor.stdout);
    const isTold = async (): Promise<boolean> =>
      (await ground.status()).alerts.some(({ id }) => id === 'configuration');
    await writeFile(ground.configFile, good);
    await until('it is not told any more, although nothing else changed', async () => !(await isTold()));
    await writeFile(ground.configFile, '{ "machines": ');
    await until('the next mistake is told', isTold);

    const changed = JSON.parse(good) as { machines: Record<string, object> };
    delete changed.machines['xps'];
    await writeFile(ground.configFile, JSON.stringify(changed));
    await until('xps is gone', async () => (await ground.status()).machines.length === 2);
    assert.equal(await isTold(), false);
    await ground.home('rog').write('CLAUDE.md', 'without xps\n');
    await ground.settle();
    assert.equal(await ground.home('mac').text('CLAUDE.md'), 'without xps\n');
    assert.equal(await ground.home('xps').text('CLAUDE.md'), 'still synced\n', 'its files are left as they are');

    await writeFile(ground.configFile, good);
    await until('xps is back', async () => (await ground.status()).machines.length === 3);
    await ground.settle();
    assert.equal(await ground.home('xps').text('CLAUDE.md'), 'without xps\n');
  });
});
