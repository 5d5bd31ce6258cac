import assert from 'node:assert/strict';
import fc from 'fast-check';
import { firstMarker, mergeDraft } from '../../../src/core/document/merge-draft.ts';
import { mergeText } from '../../../src/core/document/merge-text.ts';

const SIDES = ['rog', 'mac'];

const draft = (base: string | null, left: string, right: string): { text: string; places: number } =>
  mergeDraft(base, { name: 'rog', text: left }, { name: 'mac', text: right });

describe('a merge that a person finishes', () => {
  const base = 'title\n\none\n\ntwo\n\nend\n';

  it('takes over what one side alone changed', () => {
    const left = base.replace('one', 'ONE');
    const right = base.replace('two', 'TWO');
    assert.deepEqual(draft(base, left, right), { text: 'title\n\nONE\n\nTWO\n\nend\n', places: 0 });
  });

  it('shows both sides where both changed the same', () => {
    const { text, places } = draft(base, base.replace('one', 'ours'), base.replace('one', 'theirs'));
    const between = '<<<<<<< rog\nours\n=======\ntheirs\n>>>>>>> mac\n';
    assert.deepEqual([text, places], [`title\n\n${between}\ntwo\n\nend\n`, 1]);
  });

  it('settles only what both have where nothing is known of before', () => {
    const { text, places } = draft(null, 'a\nleft\nb\n', 'a\nright\nb\n');
    assert.deepEqual([text, places], ['a\n<<<<<<< rog\nleft\n=======\nright\n>>>>>>> mac\nb\n', 1]);
    assert.deepEqual(draft(null, 'same\n', 'same\n'), { text: 'same\n', places: 0 });
  });

  it('marks no lines that both sides have', () => {
    const notes = (style: string): string => `# Notes\n\nIndent with ${style}.\n\nTests come first.\n`;
    const between = '<<<<<<< rog\nIndent with tabs.\n=======\nIndent with spaces.\n>>>>>>> mac\n';
    assert.equal(draft(null, notes('tabs'), notes('spaces')).text, `# Notes\n\n${between}\nTests come first.\n`);
    assert.equal(draft(null, 'a\na\n', 'a\n').text, 'a\n<<<<<<< rog\na\n=======\n>>>>>>> mac\n');
  });

  it('puts each marker on a line of its own, also where a last line has no end', () => {
    assert.equal(draft(null, 'one', 'two').text, '<<<<<<< rog\none\n=======\ntwo\n>>>>>>> mac\n');
  });

  it('is in time for texts that repeat themselves', () => {
    const many = 'x\n'.repeat(20_000);
    assert.equal(draft(`${many}base\n`, `${many}left\n`, `${many}right\n`).places, 1);
  });

  it('is what the hub makes of it wherever the hub can merge', () => {
    const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', 'd\n', '\n'), { maxLength: 12 });
    fc.assert(
      fc.property(lines, lines, lines, (before, one, other) => {
        const origin = before.join('');
        // In the order in which the hub takes the sides.
        const [left, right] = [one.join(''), other.join('')].sort((a, b) =>
          Buffer.compare(Buffer.from(a), Buffer.from(b)),
        ) as [string, string];
        const merged = mergeText(Buffer.from(origin), Buffer.from(left), Buffer.from(right));
        const { text, places } = draft(origin, left, right);
        assert.equal(places === 0, firstMarker(text, SIDES) === null);
        if (merged.kind === 'merged') assert.deepEqual([text, places], [merged.content.toString(), 0]);
      }),
    );
  });

  it('knows where a marker is left, and takes no heading and no other marker for one', () => {
    assert.equal(firstMarker('a\n<<<<<<< rog\n', SIDES), 2);
    assert.equal(firstMarker('a\n>>>>>>> mac', SIDES), 2);
    assert.equal(firstMarker('a\r\n<<<<<<< rog\r\n', SIDES), 2);
    assert.equal(firstMarker('Title\n=======\n\n<<<<<<< HEAD\n>> quoted\n', SIDES), null);
  });
});
