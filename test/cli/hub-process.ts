/** Stands in for `claude-sync hub` where its start and stop are tested: the real lock and server, a made-up service. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { acquireHubLock } from '../../src/hub/lock.ts';
import { SILENT_LOG } from '../../src/hub/rpc/rpc-log.ts';
import { startRpcServer } from '../../src/hub/rpc/server.ts';
import { Announcer, serviceWith } from '../hub/rpc/fake-hub.ts';

const { values } = parseArgs({
  allowPositionals: true,
  options: { 'data-dir': { type: 'string' }, socket: { type: 'string' }, config: { type: 'string' } },
});
const dataDir = values['data-dir'] ?? '';
const socketPath = values.socket ?? '';
if (values.config !== undefined && !readFileSync(values.config, 'utf8').includes('machines')) {
  process.stderr.write('error: config.jsonc:3:5: unknown key\n');
  process.exit(2);
}
const lock = await acquireHubLock({ dataDir, socketPath });
const server = await startRpcServer({
  socketPath,
  notifications: new Announcer(),
  log: SILENT_LOG,
  service: serviceWith({
    'hub/where': () =>
      Promise.resolve({
        socket: socketPath,
        dataDir,
        config: process.env['NODE_OPTIONS'] ?? null,
        pid: process.pid,
        version: '0.1.0',
      }),
    // Says that all is well and syncs nothing: a demo on this hub must notice.
    'hub/wait': () =>
      Promise.resolve({
        settled: true,
        waitedMs: 1,
        pending: [],
        notWaitedFor: [],
        notWaitedForTotal: 0,
        orderRepairedLater: [],
      }),
    'hub/shutdown': () => {
      void server.close().then(() => lock.release());
      return Promise.resolve({ pid: process.pid });
    },
  }),
});
await lock.publish({
  pid: process.pid,
  socket: socketPath,
  version: '0.1.0',
  startedAt: Date.now(),
  dataDir,
  config: null,
});
