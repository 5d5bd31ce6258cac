import assert from 'node:assert/strict';
import { ALTERNATION_COUNT, ALTERNATION_MS, Alternations } from '../../../src/core/alerts/alternation.ts';
import { commandWord } from '../../../src/core/alerts/command-word.ts';
import { FailureStreak } from '../../../src/core/alerts/failure-streak.ts';

const NOW = 1_700_000_000_000;

describe('files that go back and forth', () => {
  /** So many changes, a second apart, from the machines in turn. */
  function changes(count: number, machines: readonly string[]): Alternations {
    const found = new Alternations();
    for (let n = 0; n < count; n += 1) found.note('agents/a.md', machines[n % machines.length] ?? '', NOW + n * 1_000);
    return found;
  }

  it('twenty changes from alternating machines are a loop, nineteen are not', () => {
    // The first one alternates with nothing.
    const end = NOW + ALTERNATION_COUNT * 1_000;
    assert.deepEqual(changes(ALTERNATION_COUNT, ['rog', 'mac']).at(end), []);
    assert.deepEqual(changes(ALTERNATION_COUNT + 1, ['rog', 'mac']).at(end), [
      { key: 'agents/a.md', machines: ['mac', 'rog'] },
    ]);
  });

  it('it is over when ten minutes have passed since the first of them', () => {
    const found = changes(ALTERNATION_COUNT + 1, ['rog', 'mac']);
    assert.equal(found.at(NOW + 1_000 + ALTERNATION_MS - 1).length, 1);
    assert.equal(found.at(NOW + 1_000 + ALTERNATION_MS).length, 0);
  });

  it('a thousand changes on one machine are work', () => {
    assert.deepEqual(changes(1_000, ['rog']).at(NOW + 1_000_000), []);
    assert.deepEqual(changes(1_000, ['rog']).at(NOW), []);
  });

  it('files do not count together', () => {
    const found = new Alternations();
    for (let n = 0; n < 1_000; n += 1) found.note(`agents/${n % 100}.md`, n % 2 === 0 ? 'rog' : 'mac', NOW + n);
    assert.deepEqual(found.at(NOW + 1_000), []);
  });

  it('one that is being fought over is not forgotten because of thousands of others', () => {
    const found = new Alternations();
    for (let n = 0; n <= ALTERNATION_COUNT; n += 1) {
      found.note('agents/a.md', n % 2 === 0 ? 'rog' : 'mac', NOW + n);
      for (let m = 0; m < 200; m += 1) found.note(`project/p/memory/${n}-${m}.md`, 'rog', NOW + n);
    }
    assert.deepEqual(
      found.at(NOW + 100).map(({ key }) => key),
      ['agents/a.md'],
    );
  });
});

describe('failures in a row', () => {
  it('count up to a success', () => {
    const streak = new FailureStreak();
    for (let n = 0; n < 3; n += 1) streak.failed(`reason ${n}`, NOW + n);
    assert.deepEqual(streak.at(NOW + 3), { inARow: 3, lastReason: 'reason 2' });
    streak.succeeded();
    assert.deepEqual(streak.at(NOW + 4), { inARow: 0, lastReason: null });
    streak.failed('again', NOW + 5);
    assert.equal(streak.at(NOW + 5).inARow, 1);
  });

  it('are over ten minutes after the last', () => {
    const streak = new FailureStreak();
    for (let n = 0; n < 3; n += 1) streak.failed('x', NOW);
    assert.equal(streak.at(NOW + 600_000).inARow, 3);
    assert.equal(streak.at(NOW + 600_001).inARow, 0);
    streak.failed('x', NOW + 600_001);
    assert.equal(streak.at(NOW + 600_001).inARow, 1);
  });
});

describe('failures in a row of a clock that was put back', () => {
  it('say nothing of now', () => {
    const streak = new FailureStreak();
    for (let n = 0; n < 3; n += 1) streak.failed('x', NOW);
    assert.equal(streak.at(NOW - 3_600_000).inARow, 0);
    streak.failed('x', NOW - 3_600_000);
    assert.equal(streak.at(NOW - 3_600_000).inARow, 1);
  });
});

describe('a word of a command', () => {
  for (const [given, expected] of [
    ['agents/a.md', 'agents/a.md'],
    ['a b', "'a b'"],
    ['$(rm -rf ~)', "'$(rm -rf ~)'"],
    ["it's", String.raw`'it'\''s'`],
    ['', "''"],
    ['~/x', "'~/x'"],
  ] as const)
    it(`${given} is written ${expected}`, () => assert.equal(commandWord(given), expected));
});
