import assert from 'node:assert/strict';
import { FolderHints } from '../../../src/hub/engine/machines/folder-hints.ts';
import { JumpClock } from '../jump-clock.ts';

describe('folders that a watcher tells of', () => {
  /** A machine whose scans end when the test says so. */
  function machine(): {
    readonly hints: FolderHints;
    readonly clock: JumpClock;
    readonly scans: string[];
    readonly troubles: unknown[];
    readonly end: (error?: Error) => Promise<void>;
  } {
    const clock = new JumpClock();
    const scans: string[] = [];
    const troubles: unknown[] = [];
    const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
    const hints = new FolderHints({
      clock,
      scan: (folder) => {
        scans.push(folder);
        return new Promise((resolve, reject) => ends.push({ resolve, reject }));
      },
      onTrouble: (error) => troubles.push(error),
    });
    const end = async (error?: Error): Promise<void> => {
      const one = ends.shift();
      assert.ok(one, 'a scan is under way');
      if (error === undefined) one.resolve();
      else one.reject(error);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { hints, clock, scans, troubles, end };
  }

  it('are scanned at once; those told of meanwhile afterwards, one for all that lie below it', async () => {
    const { hints, clock, scans, end } = machine();
    const first = hints.heard('projects/a');
    assert.deepEqual(scans, ['projects/a']);
    const others = ['projects/b/c', 'projects/b', 'projects/b/d', 'skills'].map((folder) => hints.heard(folder));
    assert.deepEqual(scans, ['projects/a']);
    clock.jump(1_000);
    await end();
    assert.deepEqual(scans, ['projects/a'], 'the machine gets some rest');
    clock.jump(3_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(scans.slice(1), ['projects/b']);
    await end();
    assert.deepEqual(scans.slice(1), ['projects/b', 'skills']);
    await end();
    await Promise.all([first, ...others]);
  });

  it('are one look at everything where they are many', async () => {
    const { hints, clock, scans, end } = machine();
    const all = [hints.heard('projects/a')];
    for (let index = 0; index < 100; index += 1) all.push(hints.heard(`projects/p${index}`));
    await end();
    clock.jump(3_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(scans.slice(1), ['']);
    await end();
    await Promise.all(all);
  });

  it('are each scanned also when another one cannot be, and that is told', async () => {
    const { hints, clock, scans, troubles, end } = machine();
    const first = hints.heard('projects/a');
    const second = hints.heard('projects/b');
    await end(new Error('gone'));
    clock.jump(3_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(scans, ['projects/a', 'projects/b']);
    await end();
    await Promise.all([first, second]);
    assert.match(String(troubles), /gone/);
  });

  it('are scanned also when they are told of in the moment in which the last scan ends', async () => {
    for (let turns = 0; turns < 8; turns += 1) {
      const { hints, clock, scans, end } = machine();
      void hints.heard('projects/a');
      const ending = end();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      void hints.heard('projects/b');
      await ending;
      clock.jump(3_000);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(scans, ['projects/a', 'projects/b'], `told ${turns} turns later`);
    }
  });

  it('are scanned again after trouble', async () => {
    const { hints, scans, end } = machine();
    void hints.heard('projects/b');
    await end(new Error('gone'));
    void hints.heard('projects/c');
    assert.equal(scans.at(-1), 'projects/c');
    await end();
  });
});
