import assert from 'node:assert/strict';
import { appendFileSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { packetsOf } from '../../../src/hub/replica/append.ts';
import { Ground, MTIME } from './ground.ts';

const LOG = 'projects/-home-u-app/0b7e6f1a-0000-4000-8000-000000000001.jsonl';

describe('guarded append', () => {
  let ground: Ground;
  beforeEach(() => {
    ground = new Ground();
    ground.write(LOG, '{"a":1}\n');
  });
  afterEach(() => ground.remove());

  const append = async (text: string, expect = ground.stat(LOG), options = {}) =>
    (await ground.connected(options)).append(LOG, { expect, bytes: Buffer.from(text), mtimeMs: MTIME });

  it('adds the lines, sets the time, keeps the inode and says how the file is now', async () => {
    const before = ground.stat(LOG);
    const outcome = await append('{"b":2}\n');
    assert.equal(ground.text(LOG), '{"a":1}\n{"b":2}\n');
    assert.deepEqual(outcome, { kind: 'done', stat: ground.stat(LOG) });
    assert.equal(ground.stat(LOG).mtimeMs, MTIME);
    assert.equal(ground.stat(LOG).inode, before.inode);
  });

  it('writes nothing when the file has grown since it was verified', async () => {
    const expect = ground.stat(LOG);
    appendFileSync(ground.at(LOG), '{"x":1}\n');
    assert.deepEqual(await append('{"b":2}\n', expect), { kind: 'changed' });
    assert.equal(ground.text(LOG), '{"a":1}\n{"x":1}\n');
  });

  it('writes nothing when only the time differs, or the file is another of the same length', async () => {
    const expect = ground.stat(LOG);
    utimesSync(ground.at(LOG), 1000, 1000);
    assert.deepEqual(await append('{"b":2}\n', expect), { kind: 'changed' });
    writeFileSync(ground.at('other'), '{"z":1}\n');
    utimesSync(ground.at('other'), expect.mtimeMs / 1000, expect.mtimeMs / 1000);
    renameSync(ground.at('other'), ground.at(LOG));
    assert.deepEqual(await append('{"b":2}\n', { ...ground.stat(LOG), inode: expect.inode }), { kind: 'changed' });
    assert.equal(ground.text(LOG), '{"z":1}\n');
  });

  it('says changed, with both lines whole, when somebody writes between the look and the write', async () => {
    ground.once('file.write', LOG, () => appendFileSync(ground.at(LOG), '{"x":1}\n'));
    assert.deepEqual(await append('{"b":2}\n'), { kind: 'changed', written: true });
    assert.equal(ground.text(LOG), '{"a":1}\n{"x":1}\n{"b":2}\n');
  });

  it('writes nothing when the file is replaced between the look and the opening', async () => {
    const replica = await ground.connected();
    const expect = ground.stat(LOG);
    ground.once('open', LOG, () => {
      writeFileSync(ground.at('other'), '{"z":1}\n');
      utimesSync(ground.at('other'), expect.mtimeMs / 1000, expect.mtimeMs / 1000);
      renameSync(ground.at('other'), ground.at(LOG));
    });
    assert.deepEqual(await replica.append(LOG, { expect, bytes: Buffer.from('{"b":2}\n'), mtimeMs: MTIME }), {
      kind: 'changed',
    });
    assert.equal(ground.text(LOG), '{"z":1}\n');
  });

  it('never cuts a line into two writes', async () => {
    const writes: number[] = [];
    const lines = ['a'.repeat(30), 'b'.repeat(90), 'c'.repeat(10), 'd'.repeat(10)].map((line) => `${line}\n`).join('');
    ground.interference = (operation) => void (operation === 'file.write' && writes.push(1));
    assert.equal((await append(lines, ground.stat(LOG), { maxPacket: 40 })).kind, 'done');
    assert.equal(ground.text(LOG), `{"a":1}\n${lines}`);
    assert.equal(writes.length, 3);
  });

  it('cuts into packets that join to the same bytes, within the limit unless one line alone exceeds it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 })),
        fc.boolean(),
        fc.integer({ min: 1, max: 60 }),
        (lines, tail, limit) => {
          const bytes = Buffer.from(lines.map((length) => `${'x'.repeat(length)}\n`).join('') + (tail ? 'tail' : ''));
          const packets = packetsOf(bytes, limit);
          assert.ok(Buffer.concat(packets).equals(bytes));
          for (const packet of packets) {
            const text = packet.toString();
            assert.ok(packet.length <= limit || text.indexOf('\n') === -1 || text.indexOf('\n') === text.length - 1);
          }
          for (const packet of packets.slice(0, -1)) assert.equal(packet.at(-1), 0x0a);
        },
      ),
    );
  });

  it('does not follow a symlink, neither at the end nor on the way', async () => {
    const expect = ground.stat(LOG);
    symlinkSync(ground.at(LOG), ground.at('link.jsonl'));
    symlinkSync(ground.at('projects'), ground.at('linked'));
    const replica = await ground.connected();
    for (const path of ['link.jsonl', LOG.replace('projects/', 'linked/')]) {
      const outcome = await replica.append(path, { expect, bytes: Buffer.from('{"b":2}\n'), mtimeMs: MTIME });
      assert.equal(outcome.kind === 'refused' && outcome.code, 'unsafe-path', path);
    }
    assert.equal(ground.text(LOG), '{"a":1}\n');
  });

  it('says changed when the file is gone', async () => {
    const expect = ground.stat(LOG);
    renameSync(ground.at(LOG), ground.at('moved'));
    assert.deepEqual(await append('{"b":2}\n', expect), { kind: 'changed' });
  });
});
