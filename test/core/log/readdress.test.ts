import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rewriteSessionId } from '../../../src/core/log/fork.ts';
import { readdressed } from '../../../src/core/log/readdress.ts';

const FROM = '11111111-0000-4000-8000-000000000000';
const TO = '22222222-0000-4000-8000-000000000000';
const LIMIT = 60;

const aLine = fc.oneof(
  fc.constant(JSON.stringify({ sessionId: FROM })),
  fc.constant(JSON.stringify({ sessionId: FROM, long: 'x'.repeat(80) })),
  fc.constant(''),
  fc.string({ maxLength: 90 }).map((text) => text.replaceAll('\n', ' ')),
);

describe('a log under another session id', () => {
  it('has every line, in order, whatever its length and however the bytes come', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(aLine, { maxLength: 8 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 70 })),
        async (lines, ends, cuts) => {
          const text = lines.join('\n') + (ends && lines.length > 0 ? '\n' : '');
          const out: Buffer[] = [];
          for await (const part of readdressed(cut(Buffer.from(text), cuts), FROM, TO, LIMIT)) out.push(part);
          const wanted = text === '' ? [] : text.replace(/\n$/, '').split('\n');
          const expected = wanted.map((line) => {
            const bytes = Buffer.from(line);
            return `${(bytes.length > LIMIT ? bytes : rewriteSessionId(bytes, FROM, TO)).toString()}\n`;
          });
          assert.equal(Buffer.concat(out).toString(), expected.join(''));
        },
      ),
    ));
});

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    if (at < bytes.length) yield bytes.subarray(at, at + size);
    at += size;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}
