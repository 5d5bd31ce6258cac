import assert from 'node:assert/strict';
import fc from 'fast-check';
import { PART_BREAK } from '../../../src/core/conversation/passage.ts';
import { isPlain, matchesIn, parseQuery } from '../../../src/core/conversation/query.ts';
import { snippetOf } from '../../../src/core/conversation/snippet.ts';
import { indexedText, wordsOf } from '../../../src/core/conversation/words.ts';

const words = (text: string): string[] => [...wordsOf(text)].map(({ word }) => word);
const finds = (query: string, text: string): boolean => matchesIn(text, parseQuery(query)) !== null;

/** How SQLite's tokenizer `ascii` takes a text apart. */
const asSqlite = (text: string): string[] =>
  [...text.matchAll(/[A-Za-z0-9\u0080-\u{10ffff}]+/gu)].map(([word]) =>
    word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  );

describe('words', () => {
  it('are runs of letters and digits, without case and accents', () => {
    assert.deepEqual(words('Foo_bar.ts: naïve ÉCOLE İstanbul x2'), [
      'foo',
      'bar',
      'ts',
      'naive',
      'ecole',
      'istanbul',
      'x2',
    ]);
    assert.deepEqual(words('Привет, Straße'), ['привет', 'straße']);
  });

  it('of scripts without spaces are single characters', () => {
    assert.deepEqual(words('你好 world東京2'), ['你', '好', 'world', '東', '京', '2']);
  });

  it('are none in rows of data', () => {
    assert.deepEqual(words(`a ${'QUJD'.repeat(200)}== b`), ['a', 'b']);
    assert.equal(words(`a ${'x'.repeat(511)} b`).length, 3);
  });

  it('are the same for the index as for whoever reads the text', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a'.repeat(600), 'é', 'Ⅷ', '½', '⑴', '\u0301', '한국', 'ﬁ'),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const text = parts.join(' ').toWellFormed();
        assert.deepEqual(asSqlite(indexedText(text)), words(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('stand where they say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const { word, from, to } of wordsOf(text)) assert.deepEqual(words(text.slice(from, to)), [word]);
      }),
    );
  });
});

describe('a query', () => {
  it('finds words by their beginning, in any order', () => {
    assert.ok(finds('migr data', 'the Data-Migration ran'));
    assert.ok(!finds('igration', 'the migration'));
    assert.ok(!finds('migr datum', 'the data migration'));
  });

  it('finds words in a row where they are quoted or written as one', () => {
    assert.ok(finds('"data migration"', 'a data migration ran'));
    assert.ok(!finds('"migration data"', 'a data migration ran'));
    assert.ok(!finds('"data migr"', 'a data migration ran'), 'quoted words are whole');
    assert.ok(finds('foo_ba', 'see foo_bar.ts'));
    assert.ok(!finds('foo_bar.ts', 'ts in bar, foo'));
    assert.ok(finds('京都', '東京都'));
    assert.ok(!finds('都京', '東京都'));
    assert.ok(!finds('"one two"', `one${PART_BREAK}two`), 'what was not written as one');
  });

  it('leaves out what must not be there', () => {
    assert.ok(finds('log -error', 'a log'));
    assert.ok(!finds('log -error', 'a log of errors'));
    assert.ok(finds('log -"an error"', 'a log of errors'));
  });

  it('takes a single letter whole, and nothing for nothing', () => {
    assert.ok(!finds('a', 'about'));
    assert.ok(finds('a', 'a log'));
    for (const text of ['', '"', '-', '""', '!?', '-log']) assert.ok(!finds(text, 'a log'), text);
  });

  it('says whether words alone decide', () => {
    assert.ok(isPlain(parseQuery('a log "of" -errors')));
    assert.ok(!isPlain(parseQuery('foo_bar')));
  });
});

describe('a snippet', () => {
  it('shows the place with most of what was searched for, and marks it', () => {
    const text = `${'filler '.repeat(50)}log\n${'filler '.repeat(50)}the error in the log\nof today ${'filler '.repeat(50)}`;
    const { text: shown, marks } = snippetOf(text, matchesIn(text, parseQuery('log error'))!);
    assert.match(shown, /^….*the error in the log of today.*…$/);
    assert.deepEqual(
      marks.map(([from, to]) => shown.slice(from, to)),
      ['error', 'log'],
    );
  });

  it('is short, on one line, and marks what matched, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('log ', 'lo', '\n', 'x'.repeat(100), 'é', '😀', ' '), { maxLength: 60 }),
        (parts) => {
          const text = parts.join('');
          const query = parseQuery('log é');
          const matches = matchesIn(text, { ...query, wanted: query.wanted.slice(0, 1) });
          if (matches === null) return;
          const { text: shown, marks } = snippetOf(text, matches);
          assert.ok(shown.length <= 162 && !shown.includes('\n'));
          for (const [from, to] of marks)
            assert.ok(from < to && to <= shown.length && shown.slice(from).startsWith('log'));
        },
      ),
    );
  });
});
