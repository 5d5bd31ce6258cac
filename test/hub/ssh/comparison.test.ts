import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, statSync, utimesSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderName } from '../../../src/core/projects/folder-name.ts';
import { COMPARE_EVERY_MS, lastComparison, type ComparisonReport } from '../../../src/hub/engine/upkeep/comparison.ts';
import { FaultyLink } from '../../fixtures/ssh/faulty-link.ts';
import { Sshd } from '../../fixtures/ssh/sshd.ts';
import { HubGround, until } from '../hub-ground.ts';

const LINE_BYTES = 1_000;
const LINES = 400;

describe('comparison of all contents with a machine over SSH', function () {
  this.timeout(60_000);

  it('hashes the files where they are: a tampered copy is found, and next to nothing is transferred', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'claude-sync-compare-'));
    const sshd = await Sshd.start({ folder: join(folder, 'sshd'), home: folder });
    const link = await FaultyLink.open({ to: { host: sshd.address, port: sshd.port } });
    await sshd.trustHostKey(link.port);
    const ground = await HubGround.open({ entries: { mac: { ...sshd.entry, port: link.port } } });
    try {
      const session = randomUUID();
      const cwd = (machine: string): string => join(ground.root, machine, 'app');
      const path = (machine: string): string => `projects/${folderName(cwd(machine))}/${session}.jsonl`;
      const line = (): string =>
        `${JSON.stringify({ type: 'user', uuid: randomUUID(), sessionId: session, cwd: cwd('rog'), text: 'x'.repeat(LINE_BYTES) })}\n`;
      await ground.write('rog', path('rog'), Array.from({ length: LINES }, line).join(''));
      await ground.write('rog', 'agents/a.md', 'text\n'.repeat(50_000));
      await ground.settle();

      const compare = async (): Promise<ComparisonReport | null> => {
        const before = lastComparison(ground.hub.store)?.endedAt ?? 0;
        ground.clock.jump(COMPARE_EVERY_MS);
        await until('a comparison was done', () => (lastComparison(ground.hub.store)?.endedAt ?? 0) > before);
        return lastComparison(ground.hub.store);
      };
      const passed = link.passed.toClient;
      const whole = await compare();
      assert.deepEqual([whole?.heads, whole?.copies, whole?.silent, whole?.damaged], [2, 4, 0, 0]);
      const read = link.passed.toClient - passed;
      assert.ok(read < 50_000, `${read} bytes were read of ${LINES * LINE_BYTES}`);

      const copy = join(ground.claudeDir('mac'), path('mac'));
      const before = statSync(copy);
      const handle = openSync(copy, 'r+');
      writeSync(handle, 'tampered', 50_000);
      closeSync(handle);
      utimesSync(copy, before.atimeMs / 1000, before.mtimeMs / 1000);
      assert.equal((await compare())?.silent, 1);
      await ground.settle();
    } finally {
      await ground.close();
      await link.close();
      await sshd.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
