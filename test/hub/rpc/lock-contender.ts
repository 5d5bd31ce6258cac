/** A process that wants to be the hub: takes the lock, listens, publishes, says so, and stays until stdin ends. */
import { once } from 'node:events';
import { acquireHubLock, HubAlreadyRunning } from '../../../src/hub/lock.ts';
import { SILENT_LOG } from '../../../src/hub/rpc/rpc-log.ts';
import { startRpcServer } from '../../../src/hub/rpc/server.ts';
import { Announcer, serviceWith } from './fake-hub.ts';

const [dataDir = '', socketPath = ''] = process.argv.slice(2);
try {
  const lock = await acquireHubLock({ dataDir, socketPath });
  const server = await startRpcServer({
    socketPath,
    service: serviceWith({}),
    notifications: new Announcer(),
    log: SILENT_LOG,
  });
  await lock.publish({ pid: process.pid, socket: socketPath, version: '0.1.0', startedAt: 1, dataDir, config: null });
  process.stdout.write('running\n');
  await once(process.stdin.resume(), 'end');
  await server.close();
  await lock.release();
} catch (error) {
  if (!(error instanceof HubAlreadyRunning)) throw error;
  process.stdout.write(`refused ${error.pid} ${error.socket}\n`);
  process.exitCode = 1;
}
