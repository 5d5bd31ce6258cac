import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFact } from '../../../src/core/log/record.ts';
import { factsOf, linesOf, log, sampleTranscripts } from './log-fixtures.ts';

describe('facts of a line', () => {
  it('are the fields that syncing needs', async () => {
    const content = log({
      parentUuid: 'p',
      isSidechain: true,
      type: 'system',
      subtype: 'compact_boundary',
      uuid: 'u',
      timestamp: '2026-11-22T23:29:14.511Z',
      cwd: '/home/thh3/code/app',
      relocatedCwd: '/srv/app',
      sessionId: 's',
      leafUuid: 'l',
    });
    const [fact] = await factsOf(content);
    const [line] = await linesOf(Buffer.from(content));
    assert.deepEqual(fact, {
      start: 0,
      end: content.length,
      hash: line!.hash,
      uuid: 'u',
      type: 'system',
      subtype: 'compact_boundary',
      timestampMs: Date.UTC(2026, 10, 22, 23, 29, 14, 511),
      sessionId: 's',
      cwd: '/home/thh3/code/app',
      relocatedCwd: '/srv/app',
      isSidechain: true,
      leafUuid: 'l',
      parentUuid: 'p',
    });
  });

  const damaged: Record<string, string | Uint8Array> = {
    'an empty line': '',
    'a torn line': '{"type":"user","uuid":"u',
    'two records on one line': '{"type":"user","uuid":"u"}{"type":"user","uuid":"v"}',
    'a run of NUL': Buffer.alloc(512),
    'a record behind NUL': '\0\0{"type":"user","uuid":"u"}',
    'a record behind a byte order mark': '\ufeff{"type":"user","uuid":"u"}',
    'an array': '[{"type":"user","uuid":"u"}]',
    'a number': '12',
    null: 'null',
    'a string': '"user"',
    'bytes that are not UTF-8': Buffer.from([0xff, 0xfe, 0xc0]),
    'deep nesting': '['.repeat(200_000),
    'fields of other types':
      '{"type":1,"uuid":["u"],"timestamp":5,"cwd":{},"isSidechain":"true","sessionId":null,"leafUuid":""}',
    'fields hidden in __proto__': '{"__proto__":{"type":"user","uuid":"u","isSidechain":true}}',
    'fields hidden in constructor': '{"constructor":{"prototype":{"uuid":"u"}},"toString":1}',
    'moments without a zone': '{"timestamp":"2026-11-22T23:29:14"}',
    'moments that do not exist': '{"timestamp":"2026-19-39T23:29:14Z"}',
  };
  for (const [name, bytes] of Object.entries(damaged)) {
    it(`are none for ${name}, and its place and hash stay`, async () => {
      const content = Buffer.concat([Buffer.from(bytes), Buffer.from('\n')]);
      const [line] = await linesOf(content);
      const { start, end, hash, isSidechain, ...rest } = parseFact(line!);
      assert.deepEqual([start, end, hash], [0, content.length, line!.hash]);
      assert.equal(isSidechain, false);
      assert.deepEqual(new Set(Object.values(rest)), new Set([null]));
    });
  }

  it('are none for a line over the limit', async () => {
    const [line] = await linesOf(Buffer.from('{"uuid":"u"}\n'), [4], { lineLimit: 5 });
    assert.equal(parseFact(line!).uuid, null);
  });

  it('are read through what the CLI forgives: carriage returns, lone surrogates, no final newline', async () => {
    const facts = await factsOf('{"uuid":"u","x":"\\ud83d"}\r\n{"uuid":"v"}');
    assert.deepEqual(
      facts.map((fact) => fact.uuid),
      ['u', 'v'],
    );
  });

  it('never throw, whatever the bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), async (content) => {
        for (const line of await linesOf(Buffer.from(content))) assert.equal(parseFact(line).hash, line.hash);
      }),
    );
  });
});

describe('transcripts of the real CLI', () => {
  for (const machine of ['rog', 'mac'] as const) {
    it(`parse line by line (${machine})`, async function () {
      const transcripts = sampleTranscripts(machine);
      if (transcripts === null) return this.skip();
      assert.ok(transcripts.size > 0);
      for (const [session, bytes] of transcripts) {
        const facts = await factsOf(bytes);
        assert.equal(facts.at(-1)?.end, bytes.length);
        for (const fact of facts) {
          assert.ok(fact.type !== null, `${session} at ${fact.start}`);
          assert.ok(fact.sessionId === null || fact.sessionId === session);
        }
        assert.ok(facts.some((fact) => fact.uuid !== null && fact.cwd !== null && fact.timestampMs !== null));
      }
    });
  }
});
