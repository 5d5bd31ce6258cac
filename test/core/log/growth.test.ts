import assert from 'node:assert/strict';
import fc from 'fast-check';
import { takeApart } from '../../../src/core/log/growth.ts';
import type { LineFact } from '../../../src/core/log/record.ts';

/** A record `a`, `b`, ... or, in capitals, a line without uuid. The bytes are the letter. */
function lines(text: string): LineFact[] {
  return [...text].map((letter, index) => ({
    start: index * 2,
    end: index * 2 + 2,
    hash: letter,
    uuid: letter === letter.toLowerCase() ? letter : null,
    type: null,
    subtype: null,
    timestampMs: null,
    sessionId: null,
    cwd: null,
    relocatedCwd: null,
    isSidechain: false,
    leafUuid: null,
    parentUuid: null,
  }));
}

function takenApart(head: string, growth: string, awaited = '', sent = ''): { added: string; echoed: string } {
  const facts = lines(head);
  const result = takeApart(
    lines(growth),
    facts,
    (line) => awaited.includes(line.hash),
    (line) => sent.includes(line.hash),
  );
  return {
    added: result.added.map((line) => line.hash).join(''),
    echoed: facts
      .filter((line) => result.echoed.has(line.start))
      .map((line) => line.hash)
      .join(''),
  };
}

describe('growth of a copy that diverged', () => {
  it('is new when the head has nothing of it', () => {
    assert.deepEqual(takenApart('abM', 'xMy'), { added: 'xMy', echoed: '' });
  });

  it('never doubles what the hub itself appended and did not live to note, whoever wrote around it', () => {
    assert.deepEqual(takenApart('abcde', 'xcdey', 'cde'), { added: 'xy', echoed: 'cde' });
    assert.deepEqual(takenApart('abcde', 'cxdy', 'cde'), { added: 'xy', echoed: 'cd' });
  });

  it('knows a line without uuid by the record beside it', () => {
    assert.deepEqual(takenApart('aMbN', 'xMbNy'), { added: 'xy', echoed: 'MbN' });
    assert.deepEqual(takenApart('aMNbK', 'MNb'), { added: '', echoed: 'MNb' });
  });

  it('knows a line without uuid that was about to be appended', () => {
    assert.deepEqual(takenApart('abMN', 'MNx', 'MN'), { added: 'x', echoed: 'MN' });
    assert.deepEqual(takenApart('aMbM', 'xM', 'M'), { added: 'x', echoed: 'M' });
  });

  it('knows a line without uuid that was sent, also when what was sent with it was taken out', () => {
    assert.deepEqual(takenApart('abM', 'xM', 'bM'), { added: 'xM', echoed: '' });
    assert.deepEqual(takenApart('abM', 'xM', 'bM', 'bM'), { added: 'x', echoed: 'M' });
    assert.deepEqual(takenApart('aMbNcK', 'xNKM', 'bNcK', 'bNcK'), { added: 'xM', echoed: 'NK' });
    assert.deepEqual(takenApart('aM', 'xMM', 'M', 'M'), { added: 'xM', echoed: 'M' });
  });

  it('keeps a line without uuid that is said again', () => {
    assert.deepEqual(takenApart('aMb', 'xM'), { added: 'xM', echoed: '' });
    assert.deepEqual(takenApart('aMb', 'bM'), { added: 'M', echoed: 'b' });
  });

  it('loses no line: each is added or stands in the head already', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'x', 'M', 'N'), maxLength: 12 });
    fc.assert(
      fc.property(text, text, text, text, (head, growth, awaited, sent) => {
        const { added } = takenApart(head, growth, awaited, sent);
        for (const letter of growth) assert.ok(added.includes(letter) || head.includes(letter));
        for (const letter of added) if (letter === letter.toLowerCase()) assert.ok(!head.includes(letter));
      }),
    );
  });
});
