import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isMergeableText, mergeText } from '../../../src/core/document/merge-text.ts';

/** Merges three strings (UTF-8); `null` for a conflict. */
function merge(base: string, ours: string, theirs: string): string | null {
  const result = mergeText(Buffer.from(base), Buffer.from(ours), Buffer.from(theirs));
  return result.kind === 'merged' ? result.content.toString() : null;
}

function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== '');
}

describe('merging a document', () => {
  it('takes the changes of both sides', () => {
    assert.equal(merge('a\nb\nc\nd\n', 'A\nb\nc\nd\n', 'a\nb\nc\nD\ne\n'), 'A\nb\nc\nD\ne\n');
  });

  it('takes a removal on one side and an addition on the other', () => {
    assert.equal(merge('a\nb\nc\nd\n', 'b\nc\nd\n', 'a\nb\nc\nd\ne\n'), 'b\nc\nd\ne\n');
  });

  it('is a conflict when both changed the same line, or lines next to each other', () => {
    assert.equal(merge('a\nb\nc\n', 'a\nours\nc\n', 'a\ntheirs\nc\n'), null);
    assert.equal(merge('a\nb\n', 'A\nb\n', 'a\nB\n'), null);
  });

  it('is a conflict when one removed what the other changed', () => {
    assert.equal(merge('a\nb\nc\n', 'a\nc\n', 'a\nB\nc\n'), null);
  });

  it('takes the same change of both sides once', () => {
    assert.equal(merge('a\nb\nc\nd\n', 'X\na\nb\nc\nd\nY\n', 'X\na\nb\nc\nd\n'), 'X\na\nb\nc\nd\nY\n');
  });

  it('keeps CRLF, a byte order mark and a missing last newline where no side touched them', () => {
    const base = '\uFEFFa\r\nb\r\nc\r\nd';
    assert.equal(
      merge(base, '\uFEFFa\r\nnew\r\nb\r\nc\r\nd', '\uFEFFa\r\nb\r\nC\r\nd'),
      '\uFEFFa\r\nnew\r\nb\r\nC\r\nd',
    );
  });

  it('never glues two lines together when a side ends without a newline', () => {
    assert.equal(merge('a\nb\nc', 'a\nb\nc\nours', 'a\nb\nc\ntheirs'), null);
    assert.equal(merge('a\nb\nc', 'X\na\nb\nc', 'a\nb\nc\nY'), 'X\na\nb\nc\nY');
  });

  it('is byte-exact for bytes that are no UTF-8', () => {
    const of = (...parts: (string | number)[]): Buffer =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));
    const result = mergeText(of(255, '\na\nb\n'), of('X\n', 255, '\na\nb\n'), of(255, '\na\nb\nY\n'));
    assert.deepEqual(result, { kind: 'merged', content: of('X\n', 255, '\na\nb\nY\n') });
  });

  it('gives the same on both machines where lines were moved', () => {
    const [base, ours, theirs] = ['abcdefg', 'Zadbcefg', 'abdcefg'].map((text) => text.replaceAll(/./g, '$&\n'));
    assert.ok(base && ours && theirs);
    assert.equal(merge(base, ours, theirs), merge(base, theirs, ours));
  });

  it('handles lines called like object members', () => {
    assert.equal(
      merge('constructor\n__proto__\n', 'x\nconstructor\n__proto__\n', 'constructor\n__proto__\ny\n'),
      'x\nconstructor\n__proto__\ny\n',
    );
  });

  it('of a long document with many blank lines takes a moment, not minutes', () => {
    const lines = Array.from({ length: 8000 }, (_, at) => (at % 3 === 0 ? '\n' : `line ${at}\n`)).join('');
    assert.equal(merge(lines, `first\n${lines}`, `${lines}last\n`), `first\n${lines}last\n`);
  });

  it('of thousands of equal lines is a conflict, not minutes', () => {
    const blank = '\n'.repeat(20_000);
    assert.equal(merge(blank, `x\n${blank}y\n\n`, `\n\n${blank}z\n`), null);
  });
});

describe('any merge of a document', () => {
  const line = fc.constantFrom('a\n', 'b\n', 'c\n', 'd\r\n', 'e\n', '\n', '\uFEFFf\n', 'g g\n');
  const ending = fc.constantFrom('', 'end', 'end\r');
  const text = fc.tuple(fc.array(line, { maxLength: 12 }), ending).map(([lines, end]) => lines.join('') + end);
  /** A base and two edits of it, so that most merges have something in common. */
  const edit = fc.array(
    fc.tuple(fc.nat(12), fc.nat(2), fc.array(fc.constantFrom('x\n', 'y\n', 'z\n', 'a\n'), { maxLength: 2 })),
    {
      maxLength: 3,
    },
  );
  const edited = (base: string, edits: readonly (readonly [number, number, string[]])[], mark: string): string => {
    const lines = linesOf(base);
    for (const [at, remove, add] of edits)
      lines.splice(Math.min(at, lines.length), remove, ...add.map((l) => mark + l));
    return lines.map((l, at) => (at < lines.length - 1 && !l.endsWith('\n') ? `${l}\n` : l)).join('');
  };
  const mark = fc.constantFrom('', 'o');
  const three = fc
    .tuple(text, edit, edit, mark)
    .map(([base, ours, theirs, own]) => [base, edited(base, ours, own), edited(base, theirs, '')] as const);

  it('in which only one side changed is that side', () => {
    fc.assert(
      fc.property(text, text, (base, changed) => {
        assert.equal(merge(base, changed, base), changed);
        assert.equal(merge(base, base, changed), changed);
      }),
    );
  });

  it('in which both sides are the same is that content', () => {
    fc.assert(fc.property(text, text, (base, both) => assert.equal(merge(base, both, both), both)));
  });

  it('gives the same on both machines', () => {
    fc.assert(
      fc.property(three, ([base, ours, theirs]) => assert.equal(merge(base, ours, theirs), merge(base, theirs, ours))),
      { numRuns: 1000 },
    );
  });

  it('that succeeds holds each line added by either side, in its order, and invents none', () => {
    let merged = 0;
    fc.assert(
      fc.property(three, ([base, ours, theirs]) => {
        const result = merge(base, ours, theirs);
        if (result === null) return;
        merged += 1;
        const lines = linesOf(result);
        const known = new Set([base, ours, theirs].flatMap(linesOf));
        for (const each of lines) assert.ok(known.has(each), `invented ${JSON.stringify(each)}`);
        for (const side of [ours, theirs]) {
          const added = linesOf(side).filter((each) => !linesOf(base).includes(each));
          let from = 0;
          for (const each of added) {
            const at = lines.indexOf(each, from);
            assert.ok(at >= 0, `lost ${JSON.stringify(each)}`);
            from = at + 1;
          }
        }
      }),
      { numRuns: 1000 },
    );
    assert.ok(merged > 100, `only ${merged} merges succeeded: the property proves nothing`);
  });

  it('that succeeds and is merged again with either side stays as it is', () => {
    fc.assert(
      fc.property(three, ([base, ours, theirs]) => {
        const result = merge(base, ours, theirs);
        if (result !== null) assert.equal(merge(ours, result, ours), result);
      }),
    );
  });
});

describe('whether a document may be merged by lines', () => {
  const prose = Buffer.from('# Notes\n');

  it('is decided by its name: prose yes, scripts and JSON never', () => {
    for (const key of ['CLAUDE.md', 'rules/a.MD', 'project/x/memory/n.txt'])
      assert.ok(isMergeableText(key, prose), key);
    for (const key of [
      'skills/a/run.sh',
      'skills/a/data.json',
      'skills/a/x.py',
      'skills/a/md',
      'agents/a.md.bak',
      'skills/a/x.jsonl',
    ])
      assert.ok(!isMergeableText(key, prose), key);
  });

  it('needs every content to be small UTF-8 text', () => {
    const bad = [
      Buffer.alloc(1_000_000, 'a'),
      Buffer.from([0x66, 0xff]),
      Buffer.from('a\0b'),
      Buffer.from('#!/bin/sh\n'),
    ];
    for (const content of bad) assert.ok(!isMergeableText('CLAUDE.md', prose, content));
    assert.ok(
      isMergeableText('CLAUDE.md', prose, Buffer.alloc(999_999, 'a'), Buffer.alloc(0), Buffer.from('\uFEFFé\r\n')),
    );
  });
});
