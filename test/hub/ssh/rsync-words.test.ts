import assert from 'node:assert/strict';
import { ProgressReader, parseProgress } from '../../../src/hub/ssh/rsync-progress.ts';
import { RsyncRefused, rsyncWords } from '../../../src/hub/ssh/rsync-words.ts';
import type { RsyncCommand } from '../../../src/hub/ssh/rsync-words.ts';

const COMMAND: RsyncCommand = {
  ...{
    direction: 'push',
    localFolder: '/here',
    remoteFolder: '/there',
    remoteRsync: '/usr/bin/rsync',
    partialDir: '.p',
  },
  ssh: { host: 'mac', jump: 'user@[::1]:22,other' },
  localVersion: { implementation: 'rsync', major: 3, minor: 2, patch: 0 },
};

describe('the words of an rsync command', () => {
  it('are those of 2006 where this computer has the rsync of macOS', () => {
    for (const localVersion of [
      { implementation: 'openrsync', major: 2, minor: 6, patch: 9 },
      { implementation: 'rsync', major: 2, minor: 6, patch: 9 },
    ] as const) {
      const words = rsyncWords({ ...COMMAND, localVersion });
      assert.ok(words.includes('--progress'));
      for (const word of words) assert.doesNotMatch(word, /^--(info|outbuf|no-h)/);
    }
    assert.ok(rsyncWords(COMMAND).includes('--info=progress2'));
  });

  it('trust the list of names that a pull gets, where rsync would refuse some of it by chance', () => {
    const words = (direction: 'pull' | 'push', minor: number, patch: number): string[] =>
      rsyncWords({ ...COMMAND, direction, localVersion: { implementation: 'rsync', major: 3, minor, patch } });
    for (const [minor, patch] of [
      [2, 5],
      [2, 7],
      [3, 0],
    ] as const)
      assert.ok(words('pull', minor, patch).includes('--trust-sender'), `3.${minor}.${patch}`);
    assert.ok(!words('pull', 2, 4).includes('--trust-sender'), 'it does not know the word');
    assert.ok(!words('push', 2, 7).includes('--trust-sender'));
  });

  it('put an address in brackets', () => {
    assert.ok(rsyncWords({ ...COMMAND, ssh: { host: '::1' } }).includes('[::1]:./'));
  });

  it('hold nothing that rsync, ssh or a shell would take for something else', () => {
    for (const ssh of [
      { host: '-oProxyCommand=x' },
      { host: 'a b' },
      { host: '' },
      { host: 'a/b' },
      { host: 'mac', user: '-x' },
      { host: 'mac', hostName: 'a;b' },
      { host: 'mac', hostName: '`x`' },
      { host: 'mac', jump: '$(x)' },
      { host: 'mac', identityFiles: ['relative'] },
      { host: 'mac', knownHostsFiles: ['/a"b'] },
      { host: 'mac', configFile: '/a\nb' },
    ])
      assert.throws(() => rsyncWords({ ...COMMAND, ssh }), RsyncRefused, JSON.stringify(ssh));
    assert.throws(() => rsyncWords({ ...COMMAND, partialDir: 'a b' }), RsyncRefused);
    assert.throws(() => rsyncWords({ ...COMMAND, localFolder: 'relative' }), RsyncRefused);
    assert.throws(() => rsyncWords({ ...COMMAND, remoteFolder: '/a\nb' }), /control characters/);
  });
});

describe('the progress of rsync', () => {
  it('is read wherever the stream is cut', () => {
    const reader = new ProgressReader();
    const text =
      '              0   0%    0.00kB/s    0:00:00  \r      1,234,567  12%   10.50MB/s    0:00:04 (xfr#1, to-chk=3/5)\r';
    assert.deepEqual(reader.push(text.slice(0, 70)), { bytes: 0, percent: 0, bytesPerSecond: 0 });
    assert.deepEqual(reader.push(text.slice(70)), {
      bytes: 1_234_567,
      percent: 12,
      bytesPerSecond: 10.5 * 1024 * 1024,
    });
  });

  it('is nothing else', () => {
    for (const line of ['', 'sending incremental file list', 'a 12% b', '12%', '1 2 3'])
      assert.equal(parseProgress(line), null);
    assert.equal(new ProgressReader().push('x'.repeat(1_000_000)), null);
  });
});
