import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { knownAliases } from '../../../src/hub/ssh/known-aliases.ts';

describe('the machines that ssh_config names', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'aliases-'));
    await mkdir(join(home, '.ssh'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const write = (name: string, ...lines: readonly string[]): Promise<void> =>
    writeFile(join(home, '.ssh', name), lines.map((line) => `${line}\n`).join(''));
  const names = async (): Promise<string[]> => (await knownAliases({ home })).map(({ alias }) => alias);

  it('are its concrete names, in their order, each once', async () => {
    await write('config', 'Host rog mac', '', '# Host no', 'HOST=nelly', '\tHost  "two words" xps # old', 'Host rog');
    assert.deepEqual(await names(), ['rog', 'mac', 'nelly', 'xps']);
  });

  it('are no patterns, options, or what a screen would not show', async () => {
    await write(
      'config',
      'Host * !a ?b c* -d "e\u202ef" g\u0007',
      'Host [ok] user@x',
      'Host "open',
      'Match host m',
      'Host',
    );
    assert.deepEqual(await names(), ['[ok]', 'user@x']);
  });

  it('come with what is said of them, the first value of each', async () => {
    await write(
      'config',
      'User general',
      'Host rog mac',
      '  hostname %h.local',
      '  Port 2222',
      '  User late',
      'Host odd',
      '  HostName ${WHERE}',
      '  Port 99999',
      'Host *',
      '  Port 22',
      '  HostName "all"',
      'Match user x',
      '  Port 1',
    );
    assert.deepEqual(await knownAliases({ home }), [
      { alias: 'rog', hostname: 'rog.local', user: 'general', port: 2222 },
      { alias: 'mac', hostname: 'mac.local', user: 'general', port: 2222 },
      { alias: 'odd', hostname: null, user: 'general', port: null },
    ]);
  });

  it('are those of included files as well, relative, by pattern and from the home folder', async () => {
    await mkdir(join(home, '.ssh', 'd'));
    await write('d/b.conf', 'Host b');
    await write('d/a.conf', 'Host a');
    await write('d/.hidden.conf', 'Host hidden');
    await write('one', 'Host one', 'Include ~/.ssh/two');
    await write('two', 'Host two');
    await write('config', 'Include d/*.conf one missing', 'Host last', 'Include three', 'Match all', 'Include four');
    await write('three', 'Host conditional');
    await write('four', 'Host four');
    assert.deepEqual(await names(), ['a', 'b', 'one', 'last', 'four']);
  });

  it('end where includes go in circles, and where they go too deep', async () => {
    await write('config', 'Include config', 'Include *', 'Host rog');
    await write('loop', 'Include config', 'Host loop');
    assert.deepEqual(await names(), ['loop', 'rog']);
    await Promise.all(
      Array.from({ length: 40 }, (_, at) => write(`deep${at}`, `Include deep${at + 1}`, `Host h${at}`)),
    );
    await write('config', 'Include deep0');
    assert.deepEqual(
      await names(),
      Array.from({ length: 16 }, (_, at) => `h${15 - at}`),
    );
  });

  it('are none of files that are missing, no files, unreadable or binary', async () => {
    assert.deepEqual(await names(), []);
    await promisify(execFile)('mkfifo', [join(home, '.ssh', 'pipe')]);
    await symlink('circle', join(home, '.ssh', 'circle'));
    await writeFile(
      join(home, '.ssh', 'binary'),
      Buffer.concat([Buffer.from('Host x\n'), Buffer.alloc(1), randomBytes(9999)]),
    );
    await write('config', 'Include pipe circle binary . /dev/zero', 'Include "a\0b"', 'Host rog');
    assert.deepEqual(await names(), []);
    await write('config', 'Include pipe circle binary . /dev/zero', 'Host rog');
    assert.deepEqual(await names(), ['rog']);
    assert.deepEqual(await knownAliases({ home, configFile: join(home, 'a\0b') }), []);
  });

  it('are the first of a file of 10 MB, whatever is in it', async () => {
    const line = `Host ${'*a'.repeat(100)}b !${'*a'.repeat(100)}b ${'a'.repeat(200)}\n`;
    await writeFile(join(home, '.ssh', 'config'), `Host rog\n${line.repeat(Math.ceil(10_000_000 / line.length))}`);
    assert.deepEqual(await names(), ['rog', 'a'.repeat(200)]);
    await writeFile(
      join(home, '.ssh', 'config'),
      Array.from({ length: 500_000 }, (_, at) => `Host h${at}\nUser u\n`).join(''),
    );
    assert.equal((await names()).length, 1000);
    await writeFile(join(home, '.ssh', 'config'), `Host ${'x'.repeat(10_000_000)}`);
    assert.deepEqual(await names(), []);
  });
});
