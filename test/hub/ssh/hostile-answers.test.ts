import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { SFTPWrapper } from 'ssh2';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import { systemClock } from '../../../src/hub/ports/system.ts';
import { SftpChannel } from '../../../src/hub/ssh/sftp-channel.ts';
import { entryStat } from '../../../src/hub/ssh/sftp-facts.ts';
import { createSftpFileSystem } from '../../../src/hub/ssh/sftp-file-system.ts';

/** What no real server can be brought to say. */
describe('a server that answers what nobody would', () => {
  it('and lists a folder without end is left, and what it said is not kept', async () => {
    const attrs = { mode: 0o100600, size: 1, mtime: 1 };
    const part = Array.from({ length: 10_000 }, (_, index) => ({ filename: `f${index}`, attrs }));
    let closed = 0;
    const sftp = Object.assign(new EventEmitter(), {
      opendir: (_path: string, done: (error: null, handle: Buffer) => void) => setImmediate(done, null, Buffer.of(1)),
      readdir: (_handle: Buffer, done: (error: null, part: unknown) => void) => setImmediate(done, null, part),
      close: (_handle: Buffer, done: () => void) => {
        closed += 1;
        setImmediate(done);
      },
    }) as unknown as SFTPWrapper;
    const channel = new SftpChannel({ sftp, clock: systemClock, moved: () => 0, onLost: assert.fail });
    const fs = createSftpFileSystem({ channel: () => channel, root: '/', os: 'linux', bandwidth: null });
    await assert.rejects(
      fs.list('projects'),
      (error) => FileSystemError.is(error, 'io') && /more than 500000/.test(String(error.cause)),
    );
    assert.equal(closed, 1);
  });

  it('and leaves out a size or a time has told nothing of a file', () => {
    for (const facts of [
      { mode: 0o100600, size: 3 },
      { mode: 0o100600, mtime: 3 },
      { mode: 0o100600, size: 2 ** 63, mtime: 3 },
      { size: 3, mtime: 3 },
    ])
      assert.deepEqual(entryStat(facts as Parameters<typeof entryStat>[0]), {
        ...{ type: 'other', size: 0, mtimeMs: 0, inode: '', executable: false },
      });
  });
});
