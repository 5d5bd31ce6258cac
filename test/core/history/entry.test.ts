import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseEntry, projectLine, sortUnion } from '../../../src/core/history/entry.ts';

const LINE =
  '{"display":"fix \\"it\\"","pastedContents":{"1":{"id":1,"project":"/not/this"}},"timestamp":1760000000000,"project":"/home/thh3/code/app","sessionId":"s1"}';

function project(line: string, to: string): string {
  return projectLine(Buffer.from(line), to).toString();
}

function identity(line: string | Buffer): string {
  return parseEntry(Buffer.from(line)).identity;
}

describe('a line of the history', () => {
  it('is read for its time and its project', () => {
    const { timestampMs, project: path } = parseEntry(Buffer.from(LINE));
    assert.deepEqual({ timestampMs, path }, { timestampMs: 1760000000000, path: '/home/thh3/code/app' });
  });

  it('is the same entry by time, session and text, whatever else differs', () => {
    const spelled = LINE.replace('/home/thh3/code/app', 'C:\\\\code\\\\app').replace(
      '"display":"fix',
      ' "display" : "\\u0066ix',
    );
    assert.equal(identity(spelled), identity(LINE));
    assert.equal(identity(`${LINE}\n`), identity(LINE));
    assert.equal(identity(`${LINE}\r`), identity(LINE));
    for (const [from, to] of [
      ['1760000000000', '1760000000001'],
      ['"s1"', '"s2"'],
      ['it', 'that'],
    ] as const) {
      assert.notEqual(identity(LINE.replace(from, to)), identity(LINE), from);
    }
  });

  it('of an old version without a session is the same entry under another project', () => {
    const old = '{"display":"ls","timestamp":1,"project":"/a"}';
    assert.equal(identity(project(old, '/b')), identity(old));
    assert.notEqual(identity(old.replace('ls', 'pwd')), identity(old));
  });

  it('that is garbage is carried by its bytes', () => {
    const garbage = [
      '',
      '\0\0',
      '{"display":',
      'null',
      '[1]',
      '"x"',
      '{"display":"a"}',
      '{"display":"b"}',
      '{"display":"a","project":"/a"}',
    ];
    assert.equal(new Set(garbage.map(identity)).size, garbage.length);
    for (const line of garbage) {
      assert.equal(parseEntry(Buffer.from(line)).timestampMs, null);
      assert.equal(project(line, '/other'), line);
    }
  });

  it('that is no UTF-8 is told from another one that decodes alike, and left as it is', () => {
    const of = (byte: number): Buffer =>
      Buffer.concat([Buffer.from(LINE.slice(0, 13)), Buffer.from([byte]), Buffer.from(LINE.slice(13))]);
    assert.notEqual(identity(of(0xff)), identity(of(0xfe)));
    assert.deepEqual(projectLine(of(0xff), '/x'), of(0xff));
  });
});

describe('the project of a line', () => {
  it('is replaced, and nothing else', () => {
    assert.equal(project(LINE, '/Users/t/app'), LINE.replace('/home/thh3/code/app', '/Users/t/app'));
  });

  it('is written with the escapes that JSON needs', () => {
    assert.ok(project(LINE, 'C:\\Users\\nelly\\"x"').includes('"project":"C:\\\\Users\\\\nelly\\\\\\"x\\""'));
  });

  it('that is the same already stays, in its own escapes', () => {
    const escaped = LINE.replace('/home/thh3', '\\/home\\/thh3');
    assert.equal(project(escaped, '/home/thh3/code/app'), escaped);
  });

  it('is the last one where the line says it twice, as a parser reads it', () => {
    const twice = '{"project":"/a","timestamp":1,"proj\\u0065ct" : "/b"}';
    assert.equal(parseEntry(Buffer.from(twice)).project, '/b');
    assert.equal(project(twice, '/c'), '{"project":"/a","timestamp":1,"proj\\u0065ct" : "/c"}');
  });

  it('is not taken from inside other values, nor from a text that looks like it', () => {
    const tricky =
      '{"timestamp":1,"a":{"project":"/in"},"b":["project","/in"],"c":"\\"project\\":\\"/in\\"","d":"project"}';
    assert.equal(parseEntry(Buffer.from(tricky)).project, null);
    assert.equal(project(tricky, '/x'), tricky);
    const real = tricky.replace('"d":"project"', '"project":"/real"');
    assert.equal(project(real, '/x'), real.replace('/real', '/x'));
  });

  it('that is no string stays', () => {
    const line = '{"timestamp":1,"project":{"project":"/a"}}';
    assert.equal(project(line, '/x'), line);
  });

  it('keeps a newline at the end of the line', () => {
    assert.equal(project(`${LINE}\r\n`, '/x'), `${LINE.replace('/home/thh3/code/app', '/x')}\r\n`);
  });
});

describe('any line of the history', () => {
  const text = fc.string({ unit: 'binary', maxLength: 8 });
  const record = fc
    .tuple(
      fc.record(
        {
          display: text,
          timestamp: fc.nat(),
          project: text,
          sessionId: text,
          pastedContents: fc.jsonValue(),
          'a"\\': fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
      fc.constantFrom(0, 1, '\t'),
    )
    .map(([value, indent]) => JSON.stringify(value, null, indent).replaceAll('\n', ' '));
  const line = fc.oneof(
    record.map((json) => Buffer.from(json)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  );

  it('is the same entry after its project was replaced, and back again the same bytes', () => {
    fc.assert(
      fc.property(line, text, (original, to) => {
        const moved = projectLine(original, to);
        assert.equal(parseEntry(moved).identity, parseEntry(original).identity);
        const { project: from } = parseEntry(original);
        if (from === null || original.toString().includes('\\')) return;
        assert.deepEqual(projectLine(moved, from), original);
      }),
      { numRuns: 1000 },
    );
  });

  it('with a time differs from the original in its project alone', () => {
    fc.assert(
      fc.property(record, text, (json, to) => {
        const value = JSON.parse(json) as Record<string, unknown>;
        const isMovable = typeof value['timestamp'] === 'number' && typeof value['project'] === 'string';
        const moved = JSON.parse(project(json, to)) as unknown;
        assert.deepEqual(moved, isMovable ? { ...value, project: JSON.parse(JSON.stringify(to)) } : value);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the union of two histories', () => {
  it('is sorted by time, entries without a time staying behind the one they followed', () => {
    const entries = [
      { timestampMs: null, name: 'first' },
      { timestampMs: 5, name: 'five' },
      { timestampMs: null, name: 'after five' },
      { timestampMs: 1, name: 'one' },
      { timestampMs: 5, name: 'other five' },
      { timestampMs: 3, name: 'three' },
      { timestampMs: null, name: 'after three' },
    ];
    assert.deepEqual(
      sortUnion(entries).map((entry) => entry.name),
      ['first', 'one', 'three', 'after three', 'five', 'after five', 'other five'],
    );
  });

  it('holds every entry once, in rising time, and is itself when sorted again', () => {
    const entries = fc.array(fc.record({ timestampMs: fc.option(fc.integer({ min: 0, max: 5 })) }));
    fc.assert(
      fc.property(entries, (all) => {
        const sorted = sortUnion(all);
        assert.equal(sorted.length, all.length);
        assert.deepEqual(new Set(sorted), new Set(all));
        const times = sorted.flatMap((entry) => entry.timestampMs ?? []);
        assert.deepEqual(
          times,
          [...times].sort((a, b) => a - b),
        );
        assert.deepEqual(sortUnion(sorted), sorted);
      }),
    );
  });
});
