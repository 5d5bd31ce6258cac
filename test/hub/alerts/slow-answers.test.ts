import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { ANSWER_WITHIN_MS, ASK_EVERY_MS, SlowAnswers } from '../../../src/hub/alerts/slow-answers.ts';
import { ManualClock } from '../store/manual-clock.ts';

describe('answers that take their time', () => {
  const rog = {};
  const mac = {};
  let clock: ManualClock;
  let answers: SlowAnswers<number>;
  let asked: string[];
  let news: number;
  let troubles: string[];

  beforeEach(() => {
    clock = new ManualClock();
    [asked, news, troubles] = [[], 0, []];
    answers = new SlowAnswers({
      clock,
      onAnswer: () => (news += 1),
      onTrouble: (error) => void troubles.push(error.message),
    });
  });

  function ask(name: string, subject: object, answer: () => Promise<number>): number | null {
    return answers.of(name, subject, () => {
      asked.push(name);
      return answer();
    });
  }
  const never = (): Promise<number> => new Promise(() => undefined);

  it('the first look gets none, the next one has it, and it is asked every five minutes', async () => {
    assert.equal(
      ask('rog', rog, async () => 1),
      null,
    );
    await setImmediate();
    assert.equal(news, 1);
    assert.equal(
      ask('rog', rog, async () => 2),
      1,
    );
    clock.advance(ASK_EVERY_MS - 1);
    assert.equal(
      ask('rog', rog, async () => 2),
      1,
    );
    clock.advance(1);
    assert.equal(
      ask('rog', rog, async () => 2),
      1,
    );
    await setImmediate();
    assert.equal(
      ask('rog', rog, async () => 3),
      2,
    );
    assert.equal(asked.length, 2);
    assert.equal(clock.armed, 0);
  });

  it('one that hangs holds up nobody, is told once, and is not asked a second time', async () => {
    for (let n = 0; n < 10; n += 1) {
      assert.equal(ask('rog', rog, never), null);
      assert.equal(
        ask('mac', mac, async () => n),
        n === 0 ? null : n - 1,
      );
      await setImmediate();
      clock.advance(ASK_EVERY_MS);
    }
    assert.deepEqual(asked.filter((name) => name === 'rog').length, 1);
    assert.deepEqual(troubles, [`nothing came within ${ANSWER_WITHIN_MS / 1_000} s`]);
  });

  it('an answer that comes too late is none, and the next question is asked', async () => {
    let answer: (value: number) => void = () => undefined;
    ask('rog', rog, () => new Promise((resolve) => (answer = resolve)));
    clock.advance(ANSWER_WITHIN_MS);
    answer(1);
    await setImmediate();
    assert.equal(
      ask('rog', rog, async () => 2),
      null,
    );
    clock.advance(ASK_EVERY_MS);
    assert.equal(
      ask('rog', rog, async () => 2),
      null,
    );
    await setImmediate();
    assert.equal(
      ask('rog', rog, async () => 2),
      2,
    );
  });

  it('the last answer stays when one fails, and the same failure is told once', async () => {
    ask('rog', rog, async () => 1);
    await setImmediate();
    for (let n = 0; n < 3; n += 1) {
      clock.advance(ASK_EVERY_MS);
      assert.equal(
        ask('rog', rog, () => Promise.reject(new Error('denied'))),
        1,
      );
      await setImmediate();
    }
    assert.deepEqual([asked.length, troubles], [4, ['denied']]);
  });

  it('another one under the same name is asked at once, also while the first hangs', async () => {
    ask('rog', rog, never);
    ask('rog', mac, async () => 5);
    await setImmediate();
    assert.equal(
      ask('rog', mac, async () => 6),
      5,
    );
  });

  it('who cannot be asked keeps the last answer; who is gone is forgotten', async () => {
    ask('rog', rog, async () => 1);
    await setImmediate();
    clock.advance(ASK_EVERY_MS);
    assert.equal(answers.of('rog', rog, null), 1);
    answers.keepOnly(new Set(['mac']));
    assert.equal(answers.of('rog', rog, null), null);
  });
});
