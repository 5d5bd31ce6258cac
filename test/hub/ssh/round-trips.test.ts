import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Replica } from '../../../src/hub/replica/replica.ts';
import { SftpGround } from '../../fixtures/ssh/sftp-ground.ts';
import { Ground } from '../replica/ground.ts';

/** Long enough for a burst to be sent whole before its first answer comes. */
const LATENCY_MS = 40;
const PATH = 'projects/-home-u-app/11111111-1111-4111-8111-111111111111.jsonl';
const LINE = Buffer.from(`${JSON.stringify({ type: 'user', text: 'x'.repeat(4_000) })}\n`);

describe('round trips over SSH', () => {
  let ground: SftpGround;
  let replica: Replica;
  const file = (): string => join(ground.root, PATH);

  before(async () => {
    ground = await SftpGround.open({ latencyMs: LATENCY_MS });
    mkdirSync(join(ground.root, 'projects/-home-u-app'), { recursive: true });
    writeFileSync(file(), LINE);
    const local = new Ground(ground.root);
    local.now = Date.now();
    replica = await local.connected({ fs: ground.fs, overNetwork: true });
    // What is asked for once: how much room there is, which folders there are, whether it is a file.
    await append();
    // What the hub wrote a moment ago it would not read.
    local.now += 3_000;
  });
  after(() => ground.close());

  async function append(): Promise<void> {
    const look = await replica.look(PATH);
    assert.ok(look.kind === 'file');
    const outcome = await replica.append(PATH, { expect: look.stat, bytes: LINE, mtimeMs: Date.now() });
    assert.equal(outcome.kind, 'done');
  }

  it('a line is read in two: what there is, and the bytes', async () => {
    const before = statSync(file()).size;
    appendFileSync(file(), LINE);
    ground.roundTrips();
    const look = await replica.look(PATH);
    assert.ok(look.kind === 'file');
    const read: Buffer[] = [];
    for await (const chunk of replica.read(PATH, before - 100, look.stat.size)) read.push(chunk);
    assert.ok(Buffer.concat(read).subarray(100).equals(LINE));
    assert.equal(ground.roundTrips(), 2);
  });

  it('a line is appended in two, and is readable after one and a half', async () => {
    const look = await replica.look(PATH);
    assert.ok(look.kind === 'file');
    ground.roundTrips();
    await replica.append(PATH, { expect: look.stat, bytes: LINE, mtimeMs: Date.now() });
    assert.equal(ground.roundTrips(), 2);
    assert.equal(readFileSync(file()).length, look.stat.size + LINE.length);
  });
});
