import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { BackInTime } from '../../../src/core/safeguards/back-in-time.ts';
import { DELETE_WINDOW_MS, DeleteWindow } from '../../../src/core/safeguards/delete-window.ts';
import { CONFLICT_LOOP_MS, ConflictLoop } from '../../../src/core/safeguards/loop.ts';

const DELETE: Plan = { do: 'commit-tombstone' };

describe('propagating deletes', () => {
  function after(deletes: number, files: number): string | undefined {
    const window = new DeleteWindow();
    for (let at = 0; at < deletes; at += 1) window.note(`agents/${at}.md`, DELETE, 1000 + at);
    return window.verdict(2000, files)?.code;
  }

  it('are let through up to 20, however small the tree is', () => {
    assert.equal(after(20, 21), undefined);
    assert.equal(after(21, 21), 'many-deletes');
  });

  it('are let through up to a tenth of a large tree', () => {
    assert.equal(after(100, 1000), undefined);
    assert.equal(after(101, 1000), 'many-deletes');
  });

  it('count together only within 60 seconds, wherever the minute begins', () => {
    const window = new DeleteWindow();
    for (let at = 0; at < 15; at += 1) window.note(`a/${at}`, DELETE, 50_000);
    for (let at = 0; at < 15; at += 1) window.note(`b/${at}`, DELETE, 70_000);
    assert.equal(window.verdict(70_000, 100)?.code, 'many-deletes');
    assert.equal(window.verdict(50_000 + DELETE_WINDOW_MS, 100), null);
  });

  it('count once for each file', () => {
    const window = new DeleteWindow();
    for (let at = 0; at < 100; at += 1) window.note('agents/a.md', DELETE, at);
    assert.equal(window.verdict(100, 100), null);
  });

  it('count at their latest time when they are told out of order', () => {
    const window = new DeleteWindow();
    for (let at = 0; at < 21; at += 1) window.note(`a/${at}`, DELETE, 90_000);
    for (let at = 0; at < 21; at += 1) window.note(`a/${at}`, DELETE, 10_000);
    assert.equal(window.verdict(100_000, 100)?.code, 'many-deletes');
  });

  it('are judged anew after the user let the machine go on', () => {
    const window = new DeleteWindow();
    for (let at = 0; at < 50; at += 1) window.note(`a/${at}`, DELETE, at);
    window.clear();
    assert.equal(window.verdict(100, 100), null);
  });

  it('stop the machine exactly when more than allowed fall into one minute', () => {
    const times = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 200_000 }), (at, now) => {
        const window = new DeleteWindow();
        const past = at.filter((time) => time <= now);
        for (const [index, time] of past.entries()) window.note(`k/${index}`, DELETE, time);
        const inWindow = past.filter((time) => time > now - DELETE_WINDOW_MS).length;
        assert.equal(window.verdict(now, 0) !== null, inWindow > 20);
      }),
    );
  });

  it('that do not propagate never count', () => {
    const window = new DeleteWindow();
    const others: Plan[] = [{ do: 'evict' }, { do: 'confirm-delete' }, { do: 'deliver' }, { do: 'adopt' }];
    for (const [kind, made] of others.entries()) {
      for (let at = 0; at < 100; at += 1) window.note(`${kind}/${at}`, made, at);
    }
    assert.equal(window.verdict(100, 400), null);
  });
});

describe('a machine that went back in time', () => {
  it('is stopped when more than three files return to contents it had before', () => {
    const past = new BackInTime();
    for (const key of ['a', 'b', 'c']) past.note(key, 1000);
    assert.equal(past.verdict(1000), null);
    past.note('c', 1500);
    assert.equal(past.verdict(1500), null);
    past.note('d', 2000);
    assert.equal(past.verdict(2000)?.code, 'back-in-time');
  });

  it('is not one where files are undone now and then', () => {
    const past = new BackInTime();
    for (let at = 0; at < 20; at += 1) {
      past.note(`agents/${at}.md`, at * 30_000);
      assert.equal(past.verdict(at * 30_000), null);
    }
  });
});

describe('two machines that fight over a file', () => {
  it('are told apart from a file that has a conflict now and then', () => {
    const loop = new ConflictLoop();
    for (let at = 0; at < 20; at += 1) {
      loop.note('CLAUDE.md', at * 150_001);
      assert.equal(loop.verdict('CLAUDE.md', at * 150_001), null);
    }
  });

  it('are stopped at the fifth conflict within ten minutes', () => {
    const loop = new ConflictLoop();
    for (let at = 1; at <= 4; at += 1) loop.note('CLAUDE.md', at);
    assert.equal(loop.verdict('CLAUDE.md', 5), null);
    loop.note('CLAUDE.md', 5);
    assert.equal(loop.verdict('CLAUDE.md', 5)?.code, 'conflict-loop');
    assert.equal(loop.verdict('agents/a.md', 5), null);
    assert.equal(loop.verdict('CLAUDE.md', 1 + CONFLICT_LOOP_MS), null);
  });

  it('are forgotten once the user decided', () => {
    const loop = new ConflictLoop();
    for (let at = 1; at <= 5; at += 1) loop.note('CLAUDE.md', at);
    loop.clear('CLAUDE.md');
    assert.equal(loop.verdict('CLAUDE.md', 5), null);
  });
});
