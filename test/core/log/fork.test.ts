import assert from 'node:assert/strict';
import fc from 'fast-check';
import { forkUuid, rewriteSessionId } from '../../../src/core/log/fork.ts';
import { linesOf, sampleTranscripts } from './log-fixtures.ts';

const FROM = '97de61f6-3d0e-4902-9181-5b4dfc05ffd8';
const TO = '00000000-0000-5000-8000-000000000000';

function rewrite(line: string): string {
  return rewriteSessionId(Buffer.from(line), FROM, TO).toString();
}

describe('the uuid of a fork', () => {
  it('is the same on every run', () => {
    assert.equal(forkUuid(FROM, 'rog', 'b85574e7-09f6-4dc4-9a40-027096ab2e27'), 'bd0e9f40-c580-5d01-b030-e15304d0a50b');
  });

  it('is a version 5 uuid', () => {
    assert.match(forkUuid(FROM, 'rog', null), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('differs by session, machine and place of divergence, however the three are spelled', () => {
    const part = fc.constantFrom('', 'a', 'b', 'a,b', '"', 'a\nb', 'null');
    const divergence = fc.tuple(part, part, fc.option(part));
    fc.assert(
      fc.property(divergence, divergence, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        assert.equal(forkUuid(...one) === forkUuid(...other), same);
      }),
    );
  });
});

describe('moving a line to another session', () => {
  it('changes the session at the top level and no other byte', () => {
    const inner = `{"sessionId":"${FROM}","list":[{"sessionId":"${FROM}"}]}`;
    const around = (session: string): string =>
      ` {"a" : ${inner}, "text":"\\"sessionId\\":\\"${FROM}\\" \\\\","sessionId"\t: "${session}" ,"n":1.50e3,"é":"😀","message":[${inner}]} \r`;
    assert.equal(rewrite(around(FROM)), around(TO));
  });

  it('keeps the newline', () => {
    assert.equal(rewrite(`{"sessionId":"${FROM}"}\n`), `{"sessionId":"${TO}"}\n`);
  });

  it('leaves rows of another session alone', () => {
    const line = `{"sessionId":"${TO.replaceAll('0', '1')}","parent":"${FROM}"}`;
    assert.equal(rewrite(line), line);
  });

  it('is not misled by other fields with that value, nor by values that look like the name', () => {
    for (const line of [
      `{"sessionid":"${FROM}"}`,
      `{"x":"sessionId","y":"${FROM}"}`,
      `{"sessionId":["${FROM}"]}`,
      `{"sessionId":{"sessionId":"${FROM}"}}`,
      `{"sessionId":null,"x":"${FROM}"}`,
    ]) {
      assert.equal(rewrite(line), line);
    }
  });

  it('understands escapes in name and value, and a name that occurs twice', () => {
    const escaped = `"\\u0039${FROM.slice(1)}"`;
    assert.equal(
      rewrite(`{"session\\u0049d":${escaped},"sessionId":"${FROM}"}`),
      `{"session\\u0049d":"${TO}","sessionId":"${TO}"}`,
    );
  });

  it('leaves damaged lines as they are', () => {
    for (const line of [
      `{"sessionId":"${FROM}"`,
      `{"sessionId":"${FROM}"}{"sessionId":"${FROM}"}`,
      `\0{"sessionId":"${FROM}"}`,
      `\ufeff{"sessionId":"${FROM}"}`,
      `[{"sessionId":"${FROM}"}]`,
      `["sessionId","${FROM}"]`,
      '',
    ]) {
      assert.equal(rewrite(line), line);
    }
    const notUtf8 = Buffer.concat([
      Buffer.from('{"x":"'),
      Buffer.from([0xe2, 0xff]),
      Buffer.from(`","sessionId":"${FROM}"}`),
    ]);
    const moved = rewriteSessionId(notUtf8, FROM, TO);
    assert.deepEqual(moved.subarray(0, 10), notUtf8.subarray(0, 10));
    assert.ok(moved.includes(TO));
  });

  it('means exactly: parse, set the field, nothing else; and back again gives the original bytes', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(FROM, 'sessionId', '\\', '"', `"sessionId":"${FROM}"`));
    const key = fc.oneof(fc.string(), fc.constantFrom('sessionId', 'message', '\\"'));
    const record = fc.dictionary(key, fc.oneof(value, fc.dictionary(key, value)));
    fc.assert(
      fc.property(record, fc.boolean(), fc.constantFrom(undefined, 1, '\t'), (fields, mine, indent) => {
        const source = mine ? { ...fields, sessionId: FROM } : fields;
        const line = Buffer.from(JSON.stringify(source, null, indent));
        const moved = rewriteSessionId(line, FROM, TO);
        const before = JSON.parse(line.toString()) as Record<string, unknown>;
        const expected = before['sessionId'] === FROM ? { ...before, sessionId: TO } : before;
        assert.deepEqual(JSON.parse(moved.toString()), expected);
        if (before['sessionId'] === FROM) assert.equal(moved.length, line.length);
        assert.deepEqual(rewriteSessionId(moved, TO, FROM), line);
      }),
      { numRuns: 500 },
    );
  });

  it('moves every row of the samples, and they come back byte for byte', async function () {
    const transcripts = sampleTranscripts('rog');
    if (transcripts === null) return this.skip();
    for (const [session, bytes] of transcripts) {
      for (const { bytes: line } of await linesOf(bytes)) {
        const moved = rewriteSessionId(line!, session, TO);
        const { sessionId, ...rest } = JSON.parse(moved.toString()) as Record<string, unknown>;
        const { sessionId: before, ...restBefore } = JSON.parse(line!.toString()) as Record<string, unknown>;
        assert.equal(sessionId, before === session ? TO : before);
        assert.deepEqual(rest, restBefore);
        assert.deepEqual(rewriteSessionId(moved, TO, session), line);
      }
    }
  });
});
