import assert from 'node:assert/strict';
import fc from 'fast-check';
import { secretsInLine } from '../../../src/core/conversation/secrets-in-line.ts';
import { findSecrets } from '../../../src/core/secrets/mask.ts';

/** Put together here, so that no scanner of repositories takes this file for a leak. */
const GITHUB = ['ghp', 'a1B2'.repeat(9)].join('_');
const SAMPLES = [
  GITHUB,
  ['sk-ant', 'api03', 'x1'.repeat(20)].join('-'),
  ['AKIA', 'ABCDEFGH12345678'].join(''),
  ['xoxb', '123456789012', 'abcdefABCDEF'].join('-'),
  `Authorization: Bearer ${'aB3'.repeat(10)}`,
  ['https://u:', 'p4ssw0rd', '@host/x'].join(''),
  ['-----BEGIN RSA PRIVATE', ' KEY-----\nMIIE\n-----END RSA PRIVATE', ' KEY-----'].join(''),
  ['hf', `${'aB1'.repeat(12)}`].join('_'),
  ['npm', 'aB1'.repeat(12)].join('_'),
  ['AIza', 'aB1_'.repeat(9)].join(''),
];
const kinds = (line: string): object => Object.fromEntries(secretsInLine(Buffer.from(line)));

describe('secrets in a line', () => {
  it('are counted by kind, each once, wherever they stand in the record', () => {
    const record = {
      message: { content: [{ text: `token ${GITHUB} and ${GITHUB}` }] },
      toolUseResult: { stdout: GITHUB },
    };
    assert.deepEqual(kinds(JSON.stringify(record)), { 'github-token': 1 });
  });

  it('are found in lines that are no records', () => {
    assert.deepEqual(kinds(`{"torn":"${GITHUB}`), { 'github-token': 1 });
  });

  it('are not what only stands behind a telling name, nor ordinary text', () => {
    assert.deepEqual(kinds(JSON.stringify({ text: 'password=hunter2-very-long' })), {});
    assert.deepEqual(kinds(JSON.stringify({ text: 'basic auth with a bearer token at https://example.org/a@b' })), {});
  });

  it('are found for every pattern: the quick look passes over none', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), fc.string(), fc.string(), (sample, before, after) => {
        const text = `${before} ${sample} ${after}`;
        const wanted = new Set(findSecrets(text).map(({ kind }) => kind));
        wanted.delete('assigned');
        assert.deepEqual(new Set(secretsInLine(Buffer.from(JSON.stringify({ text }))).keys()), wanted);
      }),
    );
    for (const sample of SAMPLES)
      assert.equal(secretsInLine(Buffer.from(JSON.stringify({ sample }))).size, 1, sample.slice(0, 8));
  });
});
