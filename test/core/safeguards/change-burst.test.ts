import assert from 'node:assert/strict';
import { countsAsChange, judgeChangeBurst, STILL_WRITTEN_MS } from '../../../src/core/safeguards/change-burst.ts';

const WRITTEN = 1_700_000_000_000;

describe('files of a machine that became others', () => {
  type File = readonly [before: { fileBytes: number; mtimeMs: number }, now: { size: number; mtimeMs: number }];
  const verdict = (look: readonly File[]): string | undefined => {
    const changed = look.filter(([before, now]) => countsAsChange(before, now)).length;
    return judgeChangeBurst({ changed, files: look.length })?.code;
  };
  const many = (file: File): File[] => Array.from({ length: 1_000 }, () => file);
  const before = { fileBytes: 200, mtimeMs: WRITTEN };

  it('stop it when they are most of what it has', () => {
    assert.equal(verdict(many([before, { size: 232, mtimeMs: WRITTEN + 86_400_000 }])), 'many-changes');
  });

  it('stop it also when they became older: a backup was put back, or a clock is wrong', () => {
    assert.equal(verdict(many([before, { size: 100, mtimeMs: WRITTEN - 1 }])), 'many-changes');
  });

  it('do not when they were made a moment ago, and seen before they were filled', () => {
    assert.equal(
      verdict(
        many([
          { fileBytes: 0, mtimeMs: WRITTEN },
          { size: 200, mtimeMs: WRITTEN + 5 },
        ]),
      ),
      undefined,
    );
    assert.equal(
      verdict(
        many([
          { fileBytes: 0, mtimeMs: WRITTEN },
          { size: 200, mtimeMs: WRITTEN + 9e9 },
        ]),
      ),
      undefined,
    );
  });

  it('do not while they are still being written', () => {
    assert.equal(verdict(many([before, { size: 4096, mtimeMs: WRITTEN + STILL_WRITTEN_MS }])), undefined);
    assert.equal(verdict(many([before, { size: 4096, mtimeMs: WRITTEN + STILL_WRITTEN_MS + 1 }])), 'many-changes');
  });

  it('do not when they are as they were', () => {
    assert.equal(verdict(many([before, { size: 200, mtimeMs: WRITTEN }])), undefined);
  });
});
