import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../../src/hub/config/parse.ts';
import type { SshMachineConfig } from '../../../src/hub/config/schema.ts';
import { systemClock, systemRandom } from '../../../src/hub/ports/system.ts';
import { NewFolders } from '../../../src/hub/replica/many/new-folders.ts';
import { oneByOne } from '../../../src/hub/replica/many/many-files.ts';
import type { TreeContext } from '../../../src/hub/replica/tree-context.ts';
import { overSftp } from '../../../src/hub/ssh/bulk/naming.ts';
import { pushMany } from '../../../src/hub/ssh/bulk/push.ts';
import { RsyncLink } from '../../../src/hub/ssh/bulk/rsync-link.ts';
import { rsyncVersion } from '../../../src/hub/ssh/rsync.ts';
import { closeSession, openSession } from '../../../src/hub/ssh/session.ts';
import { createSftpFileSystem } from '../../../src/hub/ssh/sftp-file-system.ts';
import { Ground } from '../replica/ground.ts';
import { SshGround } from './ground.ts';

describe('files that are pushed with rsync', () => {
  let ground: SshGround;
  beforeEach(async () => {
    ground = await SshGround.make();
  });
  afterEach(() => ground.end());

  for (const [kind, unknownRequests] of [
    ['of today', ''],
    ['that can set times only through links', 'lsetstat'],
  ] as const) {
    it(`have the times of their sessions on a server ${kind}`, async () => {
      const home = join(ground.root, 'rog/home');
      const server = await ground.serve('rog', { unknownRequests });
      const root = join(home, '.claude');
      mkdirSync(root);
      const text = JSON.stringify({ machines: { rog: server.entry } });
      const config = parseConfig(text, 'test', ground.root).machines['rog'] as SshMachineConfig;
      const common = { clock: systemClock, random: systemRandom };
      const session = await openSession({ config, home: ground.root, ...common, onLost: () => undefined });
      try {
        let made: TreeContext | null = null;
        const fs = createSftpFileSystem({ channel: () => session.channel, root, os: 'linux', bandwidth: null });
        await new Ground(root).connected({
          fs,
          overNetwork: true,
          many: (context) => oneByOne((made = context), 'linux'),
        });
        const context: TreeContext = made ?? assert.fail('no context');
        const source = join(ground.root, 'source');
        writeFileSync(source, '{"type":"user"}\n');
        const path = 'projects/-home-u-app/11111111-1111-4111-8111-111111111111.jsonl';
        const mtimeMs = 1_700_000_000_000;
        const link = new RsyncLink({
          clock: systemClock,
          session: () => session,
          mode: 'auto',
          localVersion: () => rsyncVersion(),
          explicit: { identityFile: true, knownHostsFile: true },
          bytesPerSecond: null,
          onProgress: () => undefined,
          onTrouble: assert.fail,
        });
        const [outcome] = await pushMany(
          {
            context,
            link,
            remoteFolder: root,
            newFolder: () => join(ground.root, 'push'),
            naming: overSftp(fs, new NewFolders(context, 'linux')),
            hashes: () => Promise.resolve(null),
          },
          [
            {
              ...{ path, source, size: 16, sha256: null, mtimeMs, executable: false },
              content: () => assert.fail('rsync reads the source'),
            },
          ],
        );
        assert.ok(typeof outcome === 'object' && outcome.kind === 'done', JSON.stringify(outcome));
        assert.equal(statSync(join(root, path)).mtimeMs, mtimeMs);
        assert.equal(outcome.stat.mtimeMs, mtimeMs);
        assert.equal(readFileSync(join(root, path), 'utf8'), '{"type":"user"}\n');
        assert.deepEqual(readdirSync(join(root, '.claude-sync/tmp')), []);
      } finally {
        closeSession(session);
      }
    });
  }
});
