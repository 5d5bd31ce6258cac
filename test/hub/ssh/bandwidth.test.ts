import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { Bandwidth } from '../../../src/hub/ssh/bandwidth.ts';
import { createSftpFileSystem } from '../../../src/hub/ssh/sftp-file-system.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';
import { ManualClock } from '../store/manual-clock.ts';

describe('a limit on bandwidth', () => {
  it('lets no more through than it says, and a line before what is long', async () => {
    const clock = new ManualClock();
    const bandwidth = new Bandwidth(clock, 100_000);
    const begun: string[] = [];
    const take = (name: string, bytes: number): void => {
      const wait = bandwidth.take(bytes);
      if (wait === null) begun.push(name);
      else void wait.then(() => begun.push(name));
    };
    take('first', 100_000);
    take('long 1', 100_000);
    take('long 2', 100_000);
    take('line', 4_000);
    assert.deepEqual(begun, ['first']);
    const after = async (ms: number): Promise<string[]> => {
      clock.advance(ms);
      await new Promise(setImmediate);
      return [...begun];
    };
    assert.deepEqual(await after(999), ['first']);
    assert.deepEqual(await after(1), ['first', 'line']);
    assert.deepEqual(await after(40), ['first', 'line', 'long 1']);
    assert.deepEqual(await after(999), ['first', 'line', 'long 1']);
    assert.deepEqual(await after(1), ['first', 'line', 'long 1', 'long 2']);
  });

  it('changes nothing about the order in which a file is written and looked at', async () => {
    const ground = await SftpGround.open();
    try {
      mkdirSync(ground.root, { recursive: true });
      writeFileSync(join(ground.root, 'log'), '');
      const limit = new Bandwidth(systemClock, 4_000_000);
      const fs = createSftpFileSystem({
        channel: () => ground.channel,
        root: ground.root,
        os: 'linux',
        bandwidth: () => limit,
      });
      const file = await fs.open('log', 'append');
      const lines = ['a', 'b', 'c'].map((letter) => Buffer.from(`${letter.repeat(200_000)}\n`));
      const writes = lines.map((line) => file.write(line));
      const [stat, end] = await Promise.all([file.stat(), file.read(600_001, 2)]);
      await Promise.all(writes);
      await file.close();
      assert.equal(stat.size, 600_003);
      assert.equal(end.toString(), 'c\n');
      assert.ok(readFileSync(join(ground.root, 'log')).equals(Buffer.concat(lines)));
    } finally {
      await ground.close();
    }
  });
});
