import assert from 'node:assert/strict';
import { Hints } from '../../../src/hub/engine/machines/hints.ts';
import { JumpClock } from '../jump-clock.ts';

describe('what a watcher tells of a machine', () => {
  /** A machine that counts its scans, and a watcher that tells of so many files. */
  function machine(): {
    readonly clock: JumpClock;
    readonly scans: () => number;
    readonly tell: (files: number) => void;
  } {
    const clock = new JumpClock();
    let scans = 0;
    let told = 0;
    const hints = new Hints({
      clock,
      isWritable: () => true,
      hinted: () => Promise.resolve(),
      lookAtEchoes: () => Promise.resolve(),
      scan: () => (scans += 1),
      onEnd: () => undefined,
      onTrouble: (error) => assert.fail(String(error)),
    });
    const tell = (files: number): void => {
      for (let index = 0; index < files; index += 1)
        hints.heard({ path: `skills/s/part-${(told += 1)}.md`, kind: 'file' });
    };
    return { clock, scans: () => scans, tell };
  }

  it('needs no scan where it is little', () => {
    const { clock, scans, tell } = machine();
    for (let second = 0; second < 100; second += 1) {
      tell(40);
      clock.jump(1_000);
    }
    assert.equal(scans(), 0);
  });

  it('is followed by one scan when very much came at once', () => {
    const { clock, scans, tell } = machine();
    tell(2_001);
    clock.jump(1_000);
    clock.jump(1_000);
    clock.jump(60_000);
    assert.equal(scans(), 1);
  });

  it('is followed by one scan also when it came slowly, as on a busy computer', () => {
    const { clock, scans, tell } = machine();
    for (let second = 0; second < 25; second += 1) {
      tell(200);
      clock.jump(1_000);
    }
    assert.equal(scans(), 0, 'not while it goes on');
    clock.jump(1_000);
    assert.equal(scans(), 1);
    clock.jump(60_000);
    assert.equal(scans(), 1);
  });

  it('is scanned in between when it does not end', () => {
    const { clock, scans, tell } = machine();
    for (let second = 0; second < 130; second += 1) {
      tell(200);
      clock.jump(1_000);
    }
    assert.equal(scans(), 2);
  });
});
