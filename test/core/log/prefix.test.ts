import assert from 'node:assert/strict';
import fc from 'fast-check';
import { commonWholeLines } from '../../../src/core/log/prefix.ts';
import { anyBytes, anyChunking, inChunks, sampleTranscripts } from './log-fixtures.ts';

/** The same, byte by byte. */
function expectedCommon(a: Uint8Array, b: Uint8Array): number {
  let common = 0;
  for (let i = 0; i < Math.min(a.length, b.length) && a[i] === b[i]; i++) if (a[i] === 0x0a) common = i + 1;
  return common;
}

describe('the common whole lines of two streams', () => {
  it('are counted to the byte, in whatever chunks they come', async () => {
    const pair = fc
      .tuple(anyBytes, anyBytes, anyBytes)
      .map(([prefix, a, b]) => [Buffer.concat([prefix, a]), Buffer.concat([prefix, b])] as const);
    await fc.assert(
      fc.asyncProperty(pair, anyChunking, anyChunking, async ([a, b], some, other) => {
        assert.equal(await commonWholeLines(inChunks(a, some), inChunks(b, other)), expectedCommon(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('do not count a line that one side has only begun, even when the bytes so far are equal', async () => {
    assert.equal(await commonWholeLines(inChunks(Buffer.from('a\nbc')), inChunks(Buffer.from('a\nbc\n'))), 2);
    assert.equal(await commonWholeLines(inChunks(Buffer.from('a\nbc')), inChunks(Buffer.from('a\nbc'))), 2);
  });

  it('are found without reading on behind the difference, and both streams are closed', async () => {
    const closed: string[] = [];
    let read = 0;
    async function* stream(name: string, first: string): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from(first);
        for (;;) {
          read++;
          yield Buffer.from('more\n');
        }
      } finally {
        closed.push(name);
      }
    }
    assert.equal(await commonWholeLines(stream('a', 'same\nx\n'), stream('b', 'same\ny\n')), 5);
    assert.deepEqual(closed.sort(), ['a', 'b']);
    assert.equal(read, 0);
  });

  it('close the other stream when one fails, and hand the error on', async () => {
    let closed = false;
    async function* good(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('a\n');
      } finally {
        closed = true;
      }
    }
    async function* bad(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a\n');
      throw new Error('connection lost');
    }
    await assert.rejects(commonWholeLines(good(), bad()), /connection lost/);
    assert.equal(closed, true);
  });

  it('show that the sample session of mac continues the one of rog', async function () {
    const session = '97de61f6-3d0e-4902-9181-5b4dfc05ffd8';
    const rog = sampleTranscripts('rog')?.get(session);
    const mac = sampleTranscripts('mac')?.get(session);
    if (rog === undefined || mac === undefined) return this.skip();
    const common = await commonWholeLines(inChunks(rog, [1000]), inChunks(mac, [777]));
    assert.equal(common, rog.length);
    assert.ok(mac.length > common);
  });
});
