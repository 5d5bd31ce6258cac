import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderName } from '../../../src/core/projects/folder-name.ts';
import { FaultyLink } from '../../fixtures/ssh/faulty-link.ts';
import { Sshd } from '../../fixtures/ssh/sshd.ts';
import { HubGround, until } from '../hub-ground.ts';

const FILES = 400;

describe('large amounts over SSH', function () {
  this.timeout(120_000);
  let folder: string;
  let sshd: Sshd;
  let link: FaultyLink;
  let ground: HubGround | null = null;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claude-sync-bulk-'));
    sshd = await Sshd.start({ folder: join(folder, 'sshd'), home: folder });
    link = await FaultyLink.open({ to: { host: sshd.address, port: sshd.port } });
    await sshd.trustHostKey(link.port);
  });
  afterEach(async () => {
    await ground?.close();
    ground = null;
    await link.close();
    await sshd.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const skill = (index: number): string => `skills/s${index % 20}/${index}.md`;
  const text = (index: number): string => `${index}\n`.repeat(1 + (index % 50));

  /** A hub with `rog` here and `mac` over SSH; `prepare` fills their folders before it begins. */
  async function open(entry: object, prepare: (ground: HubGround) => Promise<void>): Promise<HubGround> {
    ground = await HubGround.open({ entries: { mac: { ...sshd.entry, port: link.port, ...entry } }, prepare });
    await ground.settle();
    return ground;
  }

  async function assertSame(opened: HubGround): Promise<void> {
    for (const machine of ['rog', 'mac'])
      for (let index = 0; index < FILES; index += 1)
        assert.equal(await opened.text(machine, skill(index)), text(index), `${machine}: ${skill(index)}`);
    const temps = readdirSync(join(opened.claudeDir('mac'), '.claude-sync/tmp'));
    assert.deepEqual([temps, readdirSync(join(opened.dataDir, 'staging'))], [[], []]);
    assert.deepEqual(opened.troubles, []);
  }

  async function fill(opened: HubGround, machine: string): Promise<void> {
    for (let index = 0; index < FILES; index += 1) await opened.write(machine, skill(index), text(index));
  }

  for (const machine of ['mac', 'rog']) {
    it(`${FILES} files ${machine === 'mac' ? 'of the machine are fetched' : 'are brought there'} by rsync, in a connection of its own`, async () => {
      const opened = await open({}, (made) => fill(made, machine));
      await assertSame(opened);
      assert.ok(link.accepted >= 2, `${link.accepted} connections`);
    });

    it(`${FILES} files ${machine === 'mac' ? 'of the machine are fetched' : 'are brought there'} over SFTP alone where rsync is not wanted`, async () => {
      const opened = await open({ rsync: 'never' }, (made) => fill(made, machine));
      await assertSame(opened);
      assert.equal(link.accepted, 1);
    });
  }

  it('of a long conversation that is put in order only what differs is sent', async () => {
    const session = randomUUID();
    const cwd = (opened: HubGround, machine: string): string => join(opened.root, machine, 'app');
    const path = (opened: HubGround, machine: string): string =>
      `projects/${folderName(cwd(opened, machine))}/${session}.jsonl`;
    const lines: string[] = [];
    const opened = await open({}, async (made) => {
      for (let number = 0; number < 6_000; number += 1) {
        const noise = Array.from({ length: 60 }, () => randomUUID()).join('');
        lines.push(
          JSON.stringify({ type: 'user', uuid: randomUUID(), sessionId: session, cwd: cwd(made, 'rog'), noise }),
        );
      }
      for (const machine of ['rog', 'mac']) await made.write(machine, path(made, machine), `${lines.join('\n')}\n`);
    });
    const size = readFileSync(join(opened.claudeDir('mac'), path(opened, 'mac'))).length;
    // Somebody's tool wrote one line of it anew: both stay, and the machine's file gets the order that the others have.
    const other = [...lines];
    other[3_000] = other[3_000]!.replace('"noise":"', '"noise":"anew ');
    const passed = link.passed.toServer;
    await opened.write('mac', path(opened, 'mac'), `${other.join('\n')}\n`);
    await until(
      'both have the same',
      async () => {
        const [here, there] = await Promise.all(['rog', 'mac'].map((one) => opened.text(one, path(opened, one))));
        return here === there && here?.includes('anew ') === true;
      },
      60_000,
    );
    const sent = link.passed.toServer - passed;
    assert.ok(sent < size / 4, `${sent} bytes were sent for a file of ${size}`);
    assert.deepEqual(opened.troubles, []);
  });
});
