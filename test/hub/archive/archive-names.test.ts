import assert from 'node:assert/strict';
import fc from 'fast-check';
import { keyOfPath, pathOfHead } from '../../../src/hub/archive/archive-names.ts';

const character = fc.constantFrom(...'aAb.% +é\u0301日?*:C1O0N_', '%41', '.jsonl', '\u{1F600}');
const segment = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: character, minLength: 1, maxLength: 8 }) },
  fc.constantFrom(
    'session',
    'history',
    'history.jsonl',
    'CON',
    'nul.txt',
    '.',
    '..',
    '.claude-sync',
    '%archive',
    '%+',
    '%',
  ),
  fc.tuple(fc.integer({ min: 60, max: 700 }), character).map(([count, text]) => text.repeat(count)),
);
const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));

describe('names of head files', () => {
  for (const spelling of ['plain', 'folded'] as const) {
    it(`lead back to the key (${spelling})`, () =>
      fc.assert(fc.property(key, (name) => assert.equal(keyOfPath(pathOfHead(name, spelling)), name))));

    it(`stay below the archive, short and without what file systems refuse (${spelling})`, () =>
      fc.assert(
        fc.property(key, (name) => {
          for (const part of pathOfHead(name, spelling).split('/')) {
            assert.ok(part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 201, part);
            // eslint-disable-next-line no-control-regex
            assert.doesNotMatch(part, /[\u0000-\u001f<>:"|?*\\]|[. ]$|^(con|nul)(\.|$)/i);
            if (spelling === 'folded')
              assert.equal(part.replace(/%[0-9A-F]{2}/g, ''), part.replace(/%[0-9A-F]{2}/g, '').toLowerCase());
          }
        }),
      ));

    it(`of two keys never need a file where the other needs a folder (${spelling})`, () =>
      fc.assert(
        fc.property(key, fc.array(segment, { minLength: 1, maxLength: 3 }), (name, below) => {
          const file = pathOfHead(name, spelling);
          assert.ok(!pathOfHead([name, ...below].join('/'), spelling).startsWith(`${file}/`));
        }),
      ));
  }

  it('are what a person expects for the usual keys', () => {
    const expected: [string, string][] = [
      ['session/0a', 'session/0a.jsonl'],
      ['session/0a/subagents/agent-1.jsonl', 'session/0a/subagents/agent-1.jsonl'],
      ['project/my.project/memory/MEMORY.md', 'project/my.project/memory/MEMORY.md'],
      ['history', 'history.jsonl'],
      ['history/rog', 'history/rog%'],
      ['agents/a.md', 'agents/a.md'],
      ['CLAUDE.md', 'CLAUDE.md'],
    ];
    for (const [name, path] of expected) assert.equal(pathOfHead(name, 'plain'), path);
  });

  it('are not read out of files that somebody put there by hand', () => {
    for (const path of ['a%2eb', 'README', '%61.md', '%zz.md', 'session/a', 'x%+/', 'dotted.folder/a.md']) {
      assert.equal(keyOfPath(path), null, path);
    }
  });
});
