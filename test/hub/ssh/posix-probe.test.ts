import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname, type as systemName } from 'node:os';
import { parseProbe, probePosix } from '../../../src/hub/ssh/posix-probe.ts';
import { parseRsyncVersion } from '../../../src/hub/ssh/rsync-version.ts';
import { TestMachine } from './machine.ts';

describe('a look at a POSIX machine', () => {
  let machine: TestMachine | null = null;
  afterEach(async () => {
    await machine?.stop();
    machine = null;
  });

  it('tells the system, the home and the tools, behind whatever greeting', async () => {
    machine = await TestMachine.start();
    writeFileSync(machine.at('home/.bashrc'), `echo "welcome to ${hostname()}"; printf 'system=Darwin\\0'\n`);
    const found = await probePosix(machine.commands);
    assert.equal(found?.system, systemName().toLowerCase());
    assert.equal(found.home, machine.at('home'));
    assert.deepEqual(found.inotifywait, { path: '/usr/bin/inotifywait', hasNul: true });
    assert.equal(found.fswatch, '/usr/bin/fswatch');
    assert.deepEqual(found.sha256, { path: '/usr/bin/sha256sum', kind: 'sha256sum' });
    assert.equal(found.rsync?.path, '/usr/bin/rsync');
    assert.equal(found.rsync.version?.major, 3);
  });

  it('finds what the user has installed where a command over SSH does not look', async () => {
    machine = await TestMachine.start({ path: '/nowhere' });
    mkdirSync(machine.at('home/.local/bin'), { recursive: true });
    const tool = machine.at('home/.local/bin/inotifywait');
    writeFileSync(tool, '#!/bin/sh\necho "inotifywait 3.14"\n');
    chmodSync(tool, 0o755);
    const found = await probePosix(machine.commands);
    assert.deepEqual(found?.inotifywait, { path: tool, hasNul: false });
    assert.deepEqual([found.rsync, found.fswatch, found.sha256], [null, null, null]);
  });

  it('tells that there is no shell', async () => {
    machine = await TestMachine.start({ kind: 'sftp-only' });
    assert.equal(await probePosix(machine.commands), null);
  });

  it('takes no answer for one that breaks off or says something else', () => {
    assert.equal(parseProbe(''), null);
    assert.equal(parseProbe('system=Linux\0machine=x86_64\0home=/root\0tool=rsync=/usr/bin/rs'), null);
    const found = parseProbe('system=Linux\0machine=x\0home=../x\0tool=rsync=alias rsync\0tool=\0junk\0=\0end=yes\0');
    assert.deepEqual([found?.home, found?.rsync], ['', null]);
  });

  it('reads the versions of rsync that there are', () => {
    for (const [text, expected] of [
      ['rsync  version 3.2.7  protocol version 31', ['rsync', 3, 2]],
      ['rsync  version v3.4.1  protocol version 32', ['rsync', 3, 4]],
      ['rsync  version 2.6.9  protocol version 29', ['rsync', 2, 6]],
      ['openrsync: protocol version 29 rsync version 2.6.9 compatible', ['openrsync', 2, 6]],
    ] as const) {
      const version = parseRsyncVersion(text);
      assert.deepEqual([version?.implementation, version?.major, version?.minor], expected);
    }
    assert.equal(parseRsyncVersion('command not found'), null);
  });
});
