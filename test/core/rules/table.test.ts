import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { OPT_INS, PATH_TABLE } from '../../../src/core/rules/table.ts';
import type { PathRow } from '../../../src/core/rules/table.ts';

/** Where the reference table lies when the checkout is part of a larger tree. */
const REFERENCE = new URL('../../../../shared/data/claude-paths.tsv', import.meta.url);

/** Digest of the columns that decide anything. */
const DIGEST = '941449eb70d82a9275d69786ed09f54c8e93cae10f645f4a7db259492001ee19';

const decisive = (row: PathRow): string =>
  [row.glob, row.class, row.sync, row.merge ?? '-', row.delete ?? '-'].join('\t');

describe('path table', () => {
  it('has exactly the rows of the reference table, in its order', () => {
    const rows = PATH_TABLE.map(decisive);
    assert.equal(rows.length, 164);
    assert.equal(createHash('sha256').update(rows.join('\n')).digest('hex'), DIGEST);
    if (!existsSync(REFERENCE)) return;
    const reference = readFileSync(REFERENCE, 'utf8').trimEnd().split('\n').slice(1);
    assert.deepEqual(
      rows,
      reference.map((line) => line.split('\t').slice(0, 5).join('\t')),
    );
    assert.deepEqual(
      PATH_TABLE.filter((row) => row.executableContent).map((row) => row.glob),
      reference.filter((line) => line.includes('\texecutable content')).map((line) => line.split('\t')[0]),
    );
  });

  it('lets an opt-in turn on only rows that can be merged, and names each such row', () => {
    const rows = PATH_TABLE.filter((row) => row.sync === 'no' && row.merge !== null);
    assert.deepEqual(rows.map((row) => row.optIn).sort(), [...OPT_INS].sort());
    for (const row of PATH_TABLE) {
      if (row.optIn !== null) assert.equal(row.sync, 'no', row.glob);
      assert.equal(row.merge === null, row.delete === null, row.glob);
      if (row.sync === 'never') assert.equal(row.merge, null, row.glob);
    }
  });

  it('ends with a row that denies everything', () => {
    assert.deepEqual(PATH_TABLE.at(-1)?.glob, '**');
    assert.deepEqual(PATH_TABLE.at(-1)?.sync, 'no');
  });
});
