import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { FileSystemError } from '../../../src/hub/ports/file-system.ts';
import type { OpenFile } from '../../../src/hub/ports/file-system.ts';
import { linuxProcesses } from '../../../src/hub/replica/liveness.ts';
import { remoteProcesses } from '../../../src/hub/ssh/remote-processes.ts';
import { sftpFileSystem } from './sftp-reads.ts';
import { TestMachine } from './machine.ts';

describe('processes of a machine', () => {
  let machine: TestMachine;
  before(async () => {
    machine = await TestMachine.start();
  });
  after(() => machine.stop());

  it('have the start that the machine itself tells, read over SFTP', async () => {
    const processes = remoteProcesses(sftpFileSystem(await machine.connection.openSftp()));
    const start = await processes.startOf(process.pid);
    assert.match(start ?? '', /^\d+$/);
    assert.equal(start, await linuxProcesses().startOf(process.pid));
  });

  it('that have ended have none', async () => {
    const processes = remoteProcesses(sftpFileSystem(await machine.connection.openSftp()));
    const child = spawn('sleep', ['60']);
    assert.notEqual(await processes.startOf(child.pid!), null);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await processes.startOf(child.pid!), null);
  });

  it('that end while they are read have none, and what cannot be read is no end', async () => {
    let opened = 0;
    const failing = (later: 'missing' | 'io'): ReturnType<typeof remoteProcesses> =>
      remoteProcesses({
        open: async () => {
          if (opened++ > 0 && later === 'missing') throw new FileSystemError('missing', 'open', 'stat');
          return {
            read: () => Promise.reject(new FileSystemError('io', 'read', 'stat')),
            close: async () => undefined,
          } as unknown as OpenFile;
        },
      });
    assert.equal(await failing('missing').startOf(1), null);
    opened = 0;
    await assert.rejects(failing('io').startOf(1), FileSystemError);
    assert.equal(opened, 2);
  });
});
