import assert from 'node:assert/strict';
import fc from 'fast-check';
import { unifiedDiff } from '../../src/cli/unified-diff.ts';

/** What `diff` makes of `lines`, as `patch` would. */
function patched(lines: readonly string[], diff: string): string[] {
  const result: string[] = [];
  let position = 0;
  for (const line of diff.split('\n').slice(2)) {
    const hunk = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@$/.exec(line);
    if (hunk !== null) {
      const start = hunk[2] === '0' ? Number(hunk[1]) : Number(hunk[1]) - 1;
      result.push(...lines.slice(position, start));
      position = start;
    } else if (line.startsWith('+')) {
      result.push(line.slice(1));
    } else {
      assert.equal(line.slice(1), lines[position], 'context and removed lines are those of the old side');
      if (line.startsWith(' ')) result.push(line.slice(1));
      position += 1;
    }
  }
  return [...result, ...lines.slice(position)];
}

describe('a unified diff', () => {
  it('turns one side into the other, whatever they are', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 40 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const side = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');
        const diff = unifiedDiff({ name: 'a', text: side(a) }, { name: 'b', text: side(b) });
        assert.deepEqual(diff === '' ? a : patched(a, diff), b);
      }),
    );
  });

  it('shows three lines around a change, and one hunk for changes that are near each other', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `${index + 1}`);
    const changed = lines.map((line) => (['5', '9', '25'].includes(line) ? `${line}!` : line));
    const diff = unifiedDiff(
      { name: 'a', text: `${lines.join('\n')}\n` },
      { name: 'b', text: `${changed.join('\n')}\n` },
    );
    assert.deepEqual(
      diff.split('\n').filter((line) => line.startsWith('@@')),
      ['@@ -2,11 +2,11 @@', '@@ -22,7 +22,7 @@'],
    );
  });

  it('does not call files equal that differ in their last newline', () => {
    assert.notEqual(unifiedDiff({ name: 'a', text: 'x' }, { name: 'b', text: 'x\n' }), '');
  });
});
