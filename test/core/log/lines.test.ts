import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { fittingLineBytes, readLines, wholeLineBytes } from '../../../src/core/log/lines.ts';
import { all, anyBytes, anyChunking, inChunks, linesOf } from './log-fixtures.ts';

function sha(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

describe('reading lines', () => {
  it('gives back every byte, in whatever chunks they come', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyChunking, async (bytes, sizes) => {
        const lines = await linesOf(bytes, sizes);
        const again = lines.flatMap((line) => [line.bytes!, Buffer.from(line.terminated ? '\n' : '')]);
        assert.deepEqual(Buffer.concat(again), Buffer.from(bytes));
      }),
    );
  });

  it('gives adjoining offsets and hashes of the bytes between them, over-long lines included', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anyChunking, fc.integer({ min: 0, max: 12 }), async (bytes, sizes, lineLimit) => {
        let offset = 0;
        for (const line of await linesOf(bytes, sizes, { lineLimit })) {
          assert.equal(line.start, offset);
          const content = bytes.subarray(line.start, line.end - (line.terminated ? 1 : 0));
          assert.equal(line.hash, sha(content));
          assert.deepEqual(line.bytes, content.length > lineLimit ? null : Buffer.from(content));
          offset = line.end;
        }
        assert.equal(offset, bytes.length);
      }),
    );
  });

  it('splits on 0x0A alone: carriage returns, U+2028, U+0085 and NUL belong to the line', async () => {
    const content = 'a\r\n\u2028b\u0085\0\u000b\u000c\nc';
    const lines = await linesOf(Buffer.from(content));
    assert.deepEqual(
      lines.map((line) => line.bytes?.toString()),
      ['a\r', '\u2028b\u0085\0\u000b\u000c', 'c'],
    );
    assert.deepEqual(
      lines.map((line) => line.terminated),
      [true, true, false],
    );
  });

  it('counts offsets from where the stream starts in the file', async () => {
    const lines = await all(readLines(inChunks(Buffer.from('ab\nc')), 100));
    assert.deepEqual(
      lines.map((line) => [line.start, line.end]),
      [
        [100, 103],
        [103, 104],
      ],
    );
  });

  it('is not disturbed by a producer that reads into the same memory again', async () => {
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const memory = Buffer.alloc(4);
      for (const piece of ['one ', 'long', ' one', '\ntwo']) yield memory.fill(piece);
    }
    const seen: string[] = [];
    for await (const line of readLines(reusing())) seen.push(String(line.bytes));
    assert.deepEqual(seen, ['one long one', 'two']);
  });

  it('stops reading when nobody wants more lines', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('x\n');
      } finally {
        closed = true;
      }
    }
    for await (const line of readLines(endless())) if (line.start > 10) break;
    assert.equal(closed, true);
  });

  it('hands a failed read on', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('whole\ntorn');
      throw new Error('connection lost');
    }
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const line of readLines(failing())) seen.push(String(line.bytes));
    }, /connection lost/);
    assert.deepEqual(seen, ['whole']);
  });

  it('reads a line of 64 MiB in small chunks in time linear to its length', async () => {
    const piece = Buffer.alloc(16 * 1024, 'x');
    const count = (64 * 1024 * 1024) / piece.length;
    async function* large(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < count; i++) yield piece;
      yield Buffer.from('y\n');
    }
    const lines = await all(readLines(large()));
    assert.deepEqual(
      lines.map((line) => [line.end, line.bytes]),
      [[64 * 1024 * 1024 + 2, null]],
    );
    const kept = await all(readLines(large(), 0, { lineLimit: 64 * 1024 * 1024 + 1 }));
    assert.equal(kept[0]?.bytes?.length, 64 * 1024 * 1024 + 1);
    assert.equal(kept[0]?.hash, lines[0]?.hash);
  });
});

describe('whole lines of a buffer', () => {
  it('end just after the last newline', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const whole = wholeLineBytes(bytes);
        assert.ok(whole === 0 || bytes[whole - 1] === 0x0a);
        assert.ok(!bytes.subarray(whole).includes(0x0a));
      }),
    );
  });

  it('finds how far lines reach that fit into one write each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 14 }),
        (lengths, longest) => {
          const buffer = Buffer.from(lengths.map((length) => `${'x'.repeat(length - 1)}\n`).join(''));
          const first = lengths.findIndex((length) => length > longest);
          const fitting = (first === -1 ? lengths : lengths.slice(0, first)).reduce((sum, length) => sum + length, 0);
          assert.equal(fittingLineBytes(buffer, longest), fitting);
        },
      ),
    );
  });
});
