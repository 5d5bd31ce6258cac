import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash, randomUUID } from 'node:crypto';
import { readExcerpt, shareOfMessage } from '../../../src/hub/bounded-excerpt.ts';
import { LINE_LIMIT } from '../../../src/core/log/lines.ts';
import { HubGround } from '../hub-ground.ts';

const MIB = 1024 * 1024;

describe('a version of a session that is brought back', function () {
  this.timeout(120_000);
  let ground: HubGround;
  beforeEach(async () => (ground = await HubGround.open({ machines: ['rog'] })));
  afterEach(() => ground.close());

  it('has every line, also one that is longer than what is held in memory, and is never held as a whole', async () => {
    const session = randomUUID();
    const { archive, store } = ground.hub;
    const filler = Buffer.alloc(MIB, 'x');
    const long = LINE_LIMIT / MIB + 6;
    async function* content(): AsyncGenerator<Buffer> {
      yield Buffer.from(`{"sessionId":"${session}"}\n`);
      for (let piece = 0; piece < long; piece += 1) yield filler;
      yield Buffer.from(`\n{"sessionId":"${session}","last":true}\n`);
    }
    const kept = await archive.keep(content());
    store.versions.add({
      key: `session/${session}`,
      machine: 'rog',
      at: 0,
      bytes: kept.bytes,
      sha256: kept.sha256,
      reason: 'cut',
      executable: false,
      mtimeMs: 0,
    });
    let largest = 0;
    const append = archive.append.bind(archive);
    archive.append = (key, at, bytes) => {
      largest = Math.max(largest, bytes.length);
      return append(key, at, bytes);
    };
    const restored = await ground.hub.engine.actions.restore(`session/${session}`, { version: 1 });
    const fresh = restored.key.slice('session/'.length);
    const expected = createHash('sha256').update(`{"sessionId":"${fresh}"}\n`);
    for (let piece = 0; piece < long; piece += 1) expected.update(filler);
    expected.update(`\n{"sessionId":"${fresh}","last":true}\n`);
    const found = createHash('sha256');
    for await (const chunk of createReadStream(join(ground.dataDir, 'archive', `${restored.key}.jsonl`)))
      found.update(chunk as Buffer);
    assert.equal(found.digest('hex'), expected.digest('hex'));
    assert.equal(restored.bytes, kept.bytes);
    assert.ok(largest <= 4 * MIB, `${largest} bytes were written at once`);
  });

  it('leaves nothing behind when the kept content is damaged', async () => {
    const session = randomUUID();
    const { archive, store } = ground.hub;
    async function* content(): AsyncGenerator<Buffer> {
      for (let n = 0; n < 3; n += 1) yield Buffer.from(`{"n":${n},"x":"${'y'.repeat(MIB)}"}\n`);
    }
    const kept = await archive.keep(content());
    store.versions.add({
      key: `session/${session}`,
      machine: 'rog',
      at: 0,
      ...kept,
      reason: 'cut',
      executable: false,
      mtimeMs: 0,
    });
    const file = await open(join(ground.dataDir, 'versions', kept.sha256.slice(0, 2), `${kept.sha256}.zst`), 'r+');
    const { size } = await file.stat();
    await file.truncate(size - 4);
    await file.close();
    await assert.rejects(ground.hub.engine.actions.restore(`session/${session}`, { version: 1 }), /archive of version/);
    assert.deepEqual(ground.hub.store.heads.withPrefix('session/'), []);
  });
});

describe('a content that is shown', () => {
  async function* mebibytes(count: number): AsyncGenerator<Buffer> {
    for (let n = 0; n < count; n += 1) yield Buffer.alloc(MIB, 'z');
  }

  it('is cut at its share of the message, and says so with its true size', async () => {
    const shown = await readExcerpt(mebibytes(20), shareOfMessage(4));
    assert.deepEqual([shown.bytes, shown.truncated, shown.data.length], [20 * MIB, true, 2 * MIB]);
    const whole = await readExcerpt(mebibytes(2), shareOfMessage(4));
    assert.deepEqual([whole.bytes, whole.truncated, whole.data.length], [2 * MIB, false, 2 * MIB]);
  });
});
