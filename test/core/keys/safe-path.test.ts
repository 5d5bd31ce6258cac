import assert from 'node:assert/strict';
import fc from 'fast-check';
import { collisionForm, unsafeReason, unwritableReason } from '../../../src/core/keys/safe-path.ts';

describe('safe paths', () => {
  const refused: Record<string, string[]> = {
    'leaving claudeDir': ['..', '../x', 'a/../b', 'a/..', '/etc/passwd', '//x', '.', './a', 'a/./b'],
    'empty parts': ['', 'a//b', 'a/', '/'],
    'separators of other systems': ['a\\b', '..\\x', 'C:x', 'a.md:stream', 'a/b:$DATA'],
    'control characters': ['a\0b', 'a\nb', 'a\rb', 'a\tb', 'a\u001b[2Jb', 'a\u007fb', 'a\u009bb'],
    'names that Windows changes': ['a.', 'a./b', 'a ', 'x /y', 'a/ ', '...', 'a. '],
    'devices of Windows': [
      'nul',
      'NUL',
      'nul.txt',
      'a/Con.md/b',
      'com1',
      'COM9.x.y',
      'LPT0',
      'com¹',
      'aux .txt',
      'CONIN$',
      'conout$.x',
    ],
    'short names of Windows': ['CREDEN~1.JSO', 'skills/GIT~1/config', 'abcde~12'],
    'half characters': ['a\ud800', '\udc00b/c', 'a\udc00\ud800'],
    'names over 255 bytes': ['a'.repeat(256), `x/${'ü'.repeat(128)}/y`],
    'paths over 1024 bytes': [Array(6).fill('a'.repeat(200)).join('/')],
  };
  for (const [what, paths] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      for (const path of paths) assert.equal(typeof unsafeReason(path), 'string', JSON.stringify(path));
    });
  }

  it('says the same of what looks ordinary as all rules together', () => {
    const words = fc.stringMatching(/^[A-Za-z0-9_-]{3,12}$/);
    const paths = fc
      .array(fc.tuple(words, fc.constantFrom('/', '.', '')), { minLength: 1, maxLength: 40 })
      .map((parts) => parts.map(([word, end]) => `${word}${end}`).join(''));
    // A first name of one letter is never taken for ordinary, and changes nothing about the others.
    fc.assert(
      fc.property(paths, (path) => (unsafeReason(path) === null) === (unsafeReason(`x/${path}`) === null)),
      { numRuns: 5_000 },
    );
    for (const device of ['con', 'nul.jsonl', 'projects/lpt1', 'aux.jsonl/abcdef'])
      assert.notEqual(unsafeReason(device), null, device);
  });

  it('lets ordinary names through, in any language', () => {
    const ordinary = [
      'CLAUDE.md',
      'agents/a b.md',
      'skills/x/.hidden',
      'a..b',
      '..a',
      'a...b',
      'console.md',
      'com10',
      'nuls/x',
    ];
    const foreign = [
      'naïve (copy)/ü.md',
      'a/😀.md',
      '日本語/メモ.md',
      'a~',
      'notes~',
      'longername~1.md',
      'b~x.md',
      'a'.repeat(255),
    ];
    for (const path of [...ordinary, ...foreign, 'ü'.repeat(127)]) assert.equal(unsafeReason(path), null, path);
    assert.equal(unsafeReason(Array(5).fill('a'.repeat(200)).join('/')), null);
  });

  it('refuses a path wherever the refused part stands', () => {
    const safe = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => unsafeReason(name) === null);
    const bad = fc.constantFrom('..', '.', '', 'x\\y', 'c:', 'a\0', 'a\n', 'a.', 'a ', 'nul.md', 'a\ud800', 'GIT~1');
    fc.assert(
      fc.property(fc.array(safe, { maxLength: 3 }), bad, fc.array(safe, { maxLength: 3 }), (before, part, after) => {
        assert.equal(unsafeReason([...before, ...after, 'end'].join('/')), null);
        assert.notEqual(unsafeReason([...before, part, ...after].join('/')), null);
      }),
    );
  });

  it('never lets a path resolve outside the folder it is joined to', () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', '\\', 'C:', '~'), fc.string({ unit: 'binary', maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const path = parts.join('/');
        if (unsafeReason(path) !== null) return;
        assert.equal(
          new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///r/').pathname.startsWith('/r/'),
          true,
        );
        assert.equal(Buffer.from(path, 'utf8').toString('utf8'), path);
      }),
    );
  });

  it('names the characters that only Windows refuses, for Windows only', () => {
    for (const name of ['what?.md', 'a<b', 'a"b', 'a|b', 'a*b', 'a>b']) {
      assert.equal(unsafeReason(name), null);
      assert.equal(typeof unwritableReason(name, 'windows'), 'string');
      assert.equal(unwritableReason(name, 'linux'), null);
    }
    assert.equal(unwritableReason('agents/a.md', 'windows'), null);
  });
});

describe('collision form', () => {
  it('is one for names that some file system takes for one file', () => {
    const pairs: [string, string][] = [
      ['agents/A.md', 'Agents/a.MD'],
      ['caf\u00e9', 'cafe\u0301'],
      ['CAF\u00c9', 'cafe\u0301'],
      ['stra\u00dfe', 'STRASSE'],
      ['stra\u1e9ee', 'stra\u00dfe'],
      ['\u212aey', 'key'],
      ['\u017fkills', 'skills'],
      ['.g\u200cit', '.git'],
      ['\u03c3\u03c2', '\u03a3\u03a3'],
    ];
    for (const [one, other] of pairs) assert.equal(collisionForm(one), collisionForm(other), `${one} ${other}`);
  });

  it('differs for names that are different files everywhere', () => {
    for (const other of ['a.mdx', 'b.md', 'a/md', 'á.md', 'a-md'])
      assert.notEqual(collisionForm('a.md'), collisionForm(other));
  });

  it('does not depend on how a name is composed or cased', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 12 }), (name) => {
        const form = collisionForm(name);
        assert.equal(collisionForm(name.normalize('NFD')), form);
        assert.equal(collisionForm(name.normalize('NFC')), form);
        assert.equal(collisionForm(name.toLowerCase()), form);
        assert.equal(collisionForm(form), form);
      }),
    );
  });
});
